#include "backend/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

/* Milliseconds that a killed child has to end before the loop has to see to it. */
#define PATIENCE_MS 20

/* Seconds that one has to end in order. Storage that does not answer would keep it for ever. */
#define ORDER_S 30

/* Above the numbers that a child's descriptors get. */
#define FD_ABOVE 64

extern char **environ;

struct child {
	pid_t pid;
	int pidfd, signal;
	struct event *readable, *killing;
	bool forgotten;
	void (*ended)(void *arg, int status);
	void *arg;
};

static void release(struct child *child)
{
	if (child->readable)
		event_free(child->readable);
	if (child->killing)
		event_free(child->killing);
	if (child->pidfd >= 0)
		close(child->pidfd);
	free(child);
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;
	int status = 0;

	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->pid = 0;
	event_del(child->readable);
	if (child->forgotten)
		release(child);
	else
		child->ended(child->arg, status);
}

static void on_order_missed(evutil_socket_t fd, short what, void *arg)
{
	const struct child *child = arg;

	log_warn("helper process %d did not end within %d s and is killed", (int)child->pid,
		 ORDER_S);
	kill(child->pid, SIGKILL);
}

static int spawn(struct child *child, const struct child_options *options)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int moved[8], rc = 0;
	size_t count = 0;

	if (options->count > sizeof(moved) / sizeof(moved[0]))
		return -EINVAL;
	posix_spawn_file_actions_init(&actions);
	for (; !rc && count < options->count; count++) {
		/* Out of the way of the numbers that the others get. */
		moved[count] = fcntl(options->fds[count], F_DUPFD_CLOEXEC, FD_ABOVE);
		rc = moved[count] < 0 ? -errno
				      : -posix_spawn_file_actions_adddup2(&actions, moved[count],
									  CHILD_FD + (int)count);
	}
	if (!rc && options->error >= 0)
		rc = -posix_spawn_file_actions_adddup2(&actions, options->error, STDERR_FILENO);
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	if (!rc)
		rc = -posix_spawn(&child->pid, "/proc/self/exe", &actions, &attributes,
				  (char *const *)options->words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	while (count)
		if (moved[--count] >= 0)
			close(moved[count]);
	return rc;
}

int child_start(struct child **result, const struct child_options *options)
{
	struct child *child = calloc(1, sizeof(*child));
	int rc;

	if (!child)
		return -ENOMEM;
	child->pidfd = -1;
	child->signal = options->signal;
	child->ended = options->ended;
	child->arg = options->arg;
	rc = spawn(child, options);
	if (rc) {
		free(child);
		return rc;
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd >= 0) {
		fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
		child->readable = event_new(options->base, child->pidfd, EV_READ | EV_PERSIST,
					    on_ended, child);
		child->killing = evtimer_new(options->base, on_order_missed, child);
	}
	if (!child->readable || !child->killing || event_add(child->readable, NULL)) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
		release(child);
		return -ENOMEM;
	}
	*result = child;
	return 0;
}

void child_end(struct child *child)
{
	if (child->pid)
		kill(child->pid, child->signal);
}

void child_free(struct child *child)
{
	if (!child)
		return;
	child->forgotten = true;
	if (child->pid) {
		struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
		const struct timeval order = {.tv_sec = ORDER_S};

		kill(child->pid, child->signal);
		/* It is a matter of microseconds, unless the kernel still does its I/O. */
		if (poll(&ended, 1, PATIENCE_MS) == 1)
			on_ended(child->pidfd, EV_READ, child);
		else if (child->signal != SIGKILL)
			event_add(child->killing, &order);
	} else {
		release(child);
	}
}
