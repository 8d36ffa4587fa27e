#include "lib/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/rundir.h"

#define BACKLOG 16

static int address_make(struct sockaddr_un *address, const char *name)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	return rundir_path(address->sun_path, sizeof(address->sun_path), "%s", name);
}

static int socket_bind(const char *name, int *fd)
{
	struct sockaddr_un address;
	int rc = address_make(&address, name);
	mode_t mask;

	if (!rc)
		rc = rundir_make(NULL);
	if (rc)
		return rc;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return -errno;
	unlink(address.sun_path);
	mask = umask(0177);
	if (bind(*fd, (struct sockaddr *)&address, sizeof(address)) || listen(*fd, BACKLOG))
		rc = -errno;
	umask(mask);
	if (rc)
		close(*fd);
	return rc;
}

int listen_at(struct evconnlistener **listener, struct event_base *base, const char *name,
	      evconnlistener_cb accepted, void *arg)
{
	int fd, rc = socket_bind(name, &fd);

	if (!rc) {
		*listener = evconnlistener_new(
			base, accepted, arg, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
		if (!*listener) {
			close(fd);
			rc = -ENOMEM;
		}
	}
	if (rc)
		log_error("%s/%s: %s; it is not served", rundir(), name, strerror(-rc));
	return rc;
}

void listen_remove(const char *name)
{
	struct sockaddr_un address;

	if (!address_make(&address, name))
		unlink(address.sun_path);
}
