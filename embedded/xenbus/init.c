/*
 * xsplit-embedded-init - process 1 of a process guest: what is its kernel elsewhere.
 *
 * Makes the namespaces a machine, serves XenStore to the guest's processes, runs its program, and
 * ends as that does; all other processes of the guest end with it.
 */
#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embedded/environment.h"
#include "embedded/launcher/namespaces.h"
#include "embedded/xenbus/server.h"
#include "lib/log.h"
#include "lib/number.h"

struct init {
	const char *dir;
	uint32_t domid;
	char **command;
	struct event_base *base;
	struct guest guest;
	struct server *server;
	pid_t program;
	int status;
};

static void program_start(struct init *init)
{
	init->program = fork();
	if (init->program < 0) {
		log_error("%s: %s", init->command[0], strerror(errno));
		event_base_loopexit(init->base, NULL);
	}
	if (init->program)
		return;
	(void)signal(SIGPIPE, SIG_DFL);
	execv(init->command[0], init->command);
	log_error("%s: cannot run it: %s", init->command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void on_child(evutil_socket_t signal, short what, void *arg)
{
	struct init *init = arg;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != init->program)
			continue;
		init->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		event_base_loopexit(init->base, NULL);
	}
}

static int xenbus_start(struct init *init)
{
	char path[PATH_MAX];
	int rc = guest_open(&init->guest);

	if (rc == -ENOENT)
		return 0;
	if (!rc) {
		(void)snprintf(path, sizeof(path), "%s/dom%u/xenbus", init->dir, init->domid);
		rc = server_open(init->base, &init->guest, path, &init->server);
	}
	if (rc)
		log_error("xenbus: cannot serve it: %s", strerror(-rc));
	return rc;
}

static int init_run(struct init *init)
{
	struct event *child;
	int rc = -ENOMEM;

	init->base = event_base_new();
	if (!init->base)
		return rc;
	child = evsignal_new(init->base, SIGCHLD, on_child, init);
	if (child && !event_add(child, NULL))
		rc = xenbus_start(init);
	if (!rc) {
		program_start(init);
		(void)event_base_dispatch(init->base);
	}
	server_close(init->server);
	if (init->guest.evtchn)
		guest_close(&init->guest);
	if (child)
		event_free(child);
	event_base_free(init->base);
	return rc;
}

int main(int argc, char **argv)
{
	struct init init = {.status = EXIT_FAILURE};
	char hostname[16];

	log_open("xsplit-embedded-init", LOG_LEVEL_WARN);
	if (argc < 4 || number_parse_u32(argv[2], &init.domid)) {
		(void)fputs("usage: xsplit-embedded-init DIR DOMID PROGRAM [ARGUMENT...]\n",
			    stderr);
		return 2;
	}
	init.dir = argv[1];
	init.command = argv + 3;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(hostname, sizeof(hostname), "dom%u", init.domid);
	namespaces_furnish(hostname);
	if (environment_guest(init.dir, init.domid)) {
		log_error("cannot set the environment");
		return EXIT_FAILURE;
	}
	return init_run(&init) ? EXIT_FAILURE : init.status;
}
