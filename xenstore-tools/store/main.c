/* xsplit-xenstored: open everything, lock the door, serve. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/ready.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/options.h"
#include "xenstore-tools/store/sandbox.h"
#include "xenstore-tools/store/server.h"
#include "xenstore-tools/store/socket.h"
#include "xenstore-tools/store/xen.h"

static int write_pid(const char *path)
{
	char text[16];
	int fd, n;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (fd < 0 || write(fd, text, n) != n) {
		log_error("%s: cannot be written: %s; choose another --pid-file", path,
			  strerror(errno));
		if (fd >= 0)
			close(fd);
		return -EIO;
	}
	close(fd);
	return 0;
}

/* The directory of the socket; on a fresh boot /run is empty. */
static void make_directory(const char *socket)
{
	char path[PATH_MAX];
	const char *slash = strrchr(socket, '/');

	if (!slash || slash == socket || (size_t)(slash - socket) >= sizeof(path))
		return;
	memcpy(path, socket, slash - socket);
	path[slash - socket] = '\0';
	(void)mkdir(path, 0755); /* listening says what is wrong with it */
}

static int listen_at(const char *path)
{
	int fd;

	make_directory(path);
	fd = socket_listen(path);
	if (fd == -EADDRINUSE)
		log_error("%s: a xenstored answers there already; stop it or use --socket", path);
	else if (fd < 0)
		log_error("%s: cannot listen: %s; use --socket", path, strerror(-fd));
	return fd;
}

/* The hypervisor and dom0's ring, when there are any. */
static struct xen *open_xen(struct store *store)
{
	struct xen *xen;
	const char *what;
	uint32_t port;
	void *page;
	int rc = xen_open(&xen, &what);

	if (rc) {
		log_warn("no hypervisor (%s: %s): serving the socket only, no guests", what,
			 strerror(-rc));
		return NULL;
	}
	store->hypervisor = xen_hypervisor(xen);
	rc = xen_dom0_ring(xen, &page, &port);
	if (!rc)
		rc = domain_attach(store, 0, page, port);
	if (rc && rc != -ENOENT)
		log_warn("dom0: its ring is not served: %s; its kernel cannot reach the store",
			 strerror(-rc));
	return xen;
}

/* One descriptor for each client and domain: as many as we are allowed. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve(struct server *server, const struct options *options, int listening)
{
	struct xen *xen = open_xen(&server->store);
	int rc = server_start(server, listening, xen);

	if (!rc)
		rc = write_pid(options->pid_file);
	if (!rc)
		rc = sandbox_enter();
	if (rc) {
		log_error("cannot start: %s", strerror(-rc));
	} else {
		ready_announce(options->ready_fd);
		log_info("serving %s", options->socket);
		rc = server_run(server);
	}
	server_stop(server);
	store_free(&server->store);
	xen_close(xen);
	return rc;
}

int main(int argc, char *argv[])
{
	static struct server server; /* large: it holds the buffer */
	struct options options;
	uint64_t secret;
	int rc, listening;

	log_open("xsplit-xenstored", LOG_LEVEL_INFO);
	rc = options_parse(&options, argc, argv);
	if (rc)
		return rc < 0 ? 2 : 0;
	signal(SIGPIPE, SIG_IGN);
	raise_limits();

	listening = listen_at(options.socket);
	if (listening < 0)
		return EXIT_FAILURE;
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret) ||
	    store_init(&server.store, &options.quota, secret)) {
		log_error("no memory to start");
		return EXIT_FAILURE;
	}
	rc = serve(&server, &options, listening);
	unlink(options.socket);
	if (options.pid_file)
		unlink(options.pid_file);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
