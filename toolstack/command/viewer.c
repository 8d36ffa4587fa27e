#include "toolstack/command/viewer.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/xs.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/domain/record.h"
#include "toolstack/program.h"

#define ADDRESS_SIZE 300

extern char **environ;

/* "127.0.0.1::5900": the viewers of Debian all take it. */
static int address_get(struct toolstack *ts, uint16_t domid, char address[ADDRESS_SIZE],
		       struct fault *fault)
{
	char *host = NULL;
	uint64_t port;
	int rc = xs_read_number(ts->xs, XBT_NULL, UINT16_MAX, &port,
				"/local/domain/%u/console/vnc-port", domid);

	if (rc)
		return fault_set(fault, -ENXIO,
				 "domain %u has no VNC server; it is for type=\"hvm\" with vnc=1",
				 domid);
	host = xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/console/vnc-listen", domid);
	snprintf(address, ADDRESS_SIZE, "%s::%u", host && *host ? host : "127.0.0.1",
		 (unsigned)port);
	free(host);
	return 0;
}

/* Ours keep it in their config, which the guest cannot read; xl's have it in the store. */
static char *password_get(struct toolstack *ts, uint16_t domid)
{
	struct domain_config config;
	struct fault ignored = {0};
	const char *text;
	char *password;

	if (record_config_read(ts, XBT_NULL, domid, &config, &ignored))
		return xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/console/vnc-pass", domid);
	text = config_text(&config, OPTION_VNCPASSWD);
	password = text && *text ? strdup(text) : NULL;
	domain_config_free(&config);
	return password;
}

/* In memory alone. Return: a descriptor, or a negative errno. */
static int password_open(const char *password)
{
	int fd = memfd_create("vnc-password", MFD_CLOEXEC), rc = 0;
	size_t size = strlen(password);

	if (fd < 0)
		return -errno;
	if (write(fd, password, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		rc = -EIO;
	if (rc)
		close(fd);
	return rc ? rc : fd;
}

static int spawn(const char *viewer, const char *address, int input, pid_t *pid)
{
	const char *argv[] = {"vncviewer", address, input >= 0 ? "-autopass" : NULL, NULL};
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	rc = -posix_spawn(pid, viewer, &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

int viewer_start(struct toolstack *ts, uint16_t domid, bool password, int *status,
		 struct fault *fault)
{
	char address[ADDRESS_SIZE], *viewer = NULL, *secret = NULL;
	int input = -1, ended, rc = address_get(ts, domid, address, fault);
	pid_t pid;

	if (rc)
		return rc;
	if (program_find("vncviewer", &viewer))
		return fault_set(fault, -ENOENT,
				 "no vncviewer on this host; install the package "
				 "tigervnc-viewer, or point one at %s",
				 address);
	secret = password ? password_get(ts, domid) : NULL;
	if (secret)
		input = password_open(secret);
	rc = secret && input < 0 ? input : spawn(viewer, address, input, &pid);
	if (rc)
		fault_set(fault, rc, "%s: %s", viewer, strerror(-rc));
	else if (status && waitpid(pid, &ended, 0) == pid)
		*status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
	if (input >= 0)
		close(input);
	free(secret);
	free(viewer);
	return rc;
}

void viewer_offer(struct toolstack *ts, uint16_t domid, bool password)
{
	struct fault fault = {0};

	if (viewer_start(ts, domid, password, NULL, &fault))
		fprintf(stderr, "xsplit: %s\n", fault.text);
}
