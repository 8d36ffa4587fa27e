#include "embedded/launcher/dom0.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embedded/environment.h"
#include "embedded/launcher/daemon.h"
#include "embedded/launcher/namespaces.h"
#include "embedded/launcher/store.h"
#include "lib/clock.h"
#include "lib/log.h"

#define READY_MS 30000 /* how long a daemon may take until it answers */
#define STOP_MS  5000  /* how long it may take to end in order */

struct dom0 {
	const struct options *options;
	const char *dir;
	int signals;
	const sigset_t *inherited;
	struct daemon daemons[DAEMON_COUNT];
	pid_t command; /* 0: it ended, with @status */
	pid_t task; /* a child that does something to the store; 0: it ended, with @task_status */
	int status;
	int task_status;
};

/* Note who ended. Orphans of the command end up here as well. */
static void reap(struct dom0 *dom0)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == dom0->command) {
			dom0->command = 0;
			dom0->status = status;
		} else if (pid == dom0->task) {
			dom0->task = 0;
			dom0->task_status = status;
		}
		for (int d = 0; d < DAEMON_COUNT; d++) {
			if (pid == dom0->daemons[d].pid)
				daemon_ended(&dom0->daemons[d], status);
		}
	}
}

/* Until a child ends, @fd (or -1) can be read, or @deadline (0: never) is over. */
static bool wait_until(struct dom0 *dom0, int fd, uint64_t deadline)
{
	struct pollfd polled[] = {{.fd = dom0->signals, .events = POLLIN},
				  {.fd = fd, .events = POLLIN}};
	uint64_t now = clock_ms();
	struct signalfd_siginfo info;

	if (deadline && now >= deadline)
		return false;
	if (poll(polled, 2, deadline ? (int)(deadline - now) : -1) < 0)
		return true;
	if (polled[0].revents)
		(void)!read(dom0->signals, &info, sizeof(info));
	reap(dom0);
	return true;
}

static bool wanted(const struct dom0 *dom0, enum daemon_kind kind)
{
	return !dom0->options->without[kind];
}

/* Its line, or the end of file that its death is; -EAGAIN when there is neither yet. */
static ssize_t ready_read(struct daemon *daemon)
{
	char answer;
	ssize_t n = read(daemon->ready, &answer, 1);

	return n < 0 ? -errno : n;
}

static void ready_close(struct daemon *daemon)
{
	close(daemon->ready);
	daemon->ready = -1;
}

/* Wait for its line, its death, or too long. One that died since its line has started all the same.
 */
static int daemon_wait_ready(struct dom0 *dom0, struct daemon *daemon)
{
	uint64_t deadline = clock_ms() + READY_MS;
	bool in_time = true;
	ssize_t n = -EAGAIN;
	char text[32];

	while (n == -EAGAIN && in_time) {
		in_time = wait_until(dom0, daemon->ready, deadline);
		n = ready_read(daemon);
	}
	ready_close(daemon);
	if (n == 1)
		return 0;
	/* End of file: it is dying. */
	while (in_time && daemon->pid)
		in_time = wait_until(dom0, -1, deadline);
	if (in_time)
		log_error("%s did not start (%s); its log:", daemon->name,
			  daemon_died(daemon, text, sizeof(text)));
	else
		log_error("%s does not answer after %d s; its log:", daemon->name, READY_MS / 1000);
	daemon_log_show(daemon, dom0->dir);
	return -ECHILD;
}

static int daemon_start(struct dom0 *dom0, enum daemon_kind kind)
{
	struct daemon *daemon = &dom0->daemons[kind];
	int rc;

	if (!wanted(dom0, kind))
		return 0;
	rc = daemon_spawn(daemon, dom0->dir, kind == DAEMON_HOST, dom0->inherited);
	if (rc)
		return rc;
	fcntl(daemon->ready, F_SETFL, O_NONBLOCK);
	return daemon_wait_ready(dom0, daemon);
}

/* What may block, for it asks a daemon, runs in a child that can be given up. */
static int task_run(struct dom0 *dom0, int (*task)(void), const char *what)
{
	uint64_t deadline = clock_ms() + READY_MS;

	dom0->task = fork();
	if (dom0->task < 0)
		return -errno;
	if (!dom0->task)
		_exit(task() ? EXIT_FAILURE : EXIT_SUCCESS);
	while (dom0->task && wait_until(dom0, -1, deadline))
		;
	if (dom0->task) {
		kill(dom0->task, SIGKILL);
		log_error("cannot %s: no answer after %d s", what, READY_MS / 1000);
		return -ETIMEDOUT;
	}
	return dom0->task_status ? -ECHILD : 0;
}

/* The store and who needs it, in order. */
static int daemons_start(struct dom0 *dom0, enum daemon_kind first)
{
	int rc = 0;

	for (int d = (int)first; !rc && d < DAEMON_COUNT; d++) {
		rc = daemon_start(dom0, d);
		if (!rc && d == DAEMON_STORE && wanted(dom0, DAEMON_STORE))
			rc = task_run(dom0, store_furnish, "write dom0's nodes");
	}
	return rc;
}

/* SIGTERM to the daemons from @first on, and the end of each awaited. */
static void daemons_stop(struct dom0 *dom0, enum daemon_kind first)
{
	for (int d = DAEMON_COUNT - 1; d >= (int)first; d--) {
		struct daemon *daemon = &dom0->daemons[d];
		uint64_t deadline = clock_ms() + STOP_MS;

		if (daemon->pid)
			kill(daemon->pid, SIGTERM);
		while (daemon->pid && wait_until(dom0, -1, deadline))
			;
		if (daemon->pid) {
			log_warn("%s did not end on SIGTERM and is killed", daemon->name);
			kill(daemon->pid, SIGKILL);
			while (daemon->pid && wait_until(dom0, -1, 0))
				;
		}
	}
}

static bool died(const struct dom0 *dom0, enum daemon_kind kind)
{
	const struct daemon *daemon = &dom0->daemons[kind];

	return wanted(dom0, kind) && daemon->starts && !daemon->pid && !daemon->given_up;
}

/* Say so, and put things into a state that one can go on from. */
static int died_handle(struct dom0 *dom0, enum daemon_kind kind)
{
	static const char *const remedy[DAEMON_COUNT] = {
		[DAEMON_HOST] = "without it there is no host: everything ends",
		[DAEMON_STORE] = "the store is lost: guests are destroyed, all daemons start anew",
		[DAEMON_BACKEND] = "it is started again",
		[DAEMON_TOOLSTACK] = "it is started again",
	};
	struct daemon *daemon = &dom0->daemons[kind];
	char text[32];
	int rc = 0;

	log_error("%s died (%s); %s", daemon->name, daemon_died(daemon, text, sizeof(text)),
		  remedy[kind]);
	daemon_log_show(daemon, dom0->dir);
	switch (kind) {
	case DAEMON_STORE:
		daemons_stop(dom0, DAEMON_BACKEND);
		rc = task_run(dom0, guests_destroy, "destroy the guests");
		if (!rc)
			rc = daemons_start(dom0, DAEMON_STORE);
		break;
	case DAEMON_BACKEND:
	case DAEMON_TOOLSTACK:
		daemon->given_up = daemon_start(dom0, kind) != 0;
		if (daemon->given_up)
			log_error("%s: the host goes on without it", daemon->name);
		break;
	default:
		rc = -ECHILD;
	}
	return rc;
}

static int command_start(struct dom0 *dom0)
{
	dom0->command = fork();
	if (dom0->command < 0)
		return -errno;
	if (!dom0->command) {
		sigprocmask(SIG_SETMASK, dom0->inherited, NULL);
		execvp(dom0->options->command[0], dom0->options->command);
		log_error("%s: %s", dom0->options->command[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	return 0;
}

/* The life of a host: as long as the command's. */
static int dom0_live(struct dom0 *dom0)
{
	int rc = command_start(dom0);

	while (!rc && dom0->command) {
		enum daemon_kind dead = DAEMON_HOST;

		while (dead < DAEMON_COUNT && !died(dom0, dead))
			dead++;
		if (dead == DAEMON_COUNT)
			wait_until(dom0, -1, 0);
		else
			rc = died_handle(dom0, dead);
	}
	return rc;
}

/* A daemon that ends in disorder when it is asked to end has found something, such as a leak. */
static int daemons_judge(struct dom0 *dom0)
{
	char text[32];
	int rc = 0;

	for (int d = 0; d < DAEMON_COUNT; d++) {
		struct daemon *daemon = &dom0->daemons[d];

		if (daemon->status) {
			log_error("%s ended badly (%s); its log:", daemon->name,
				  daemon_died(daemon, text, sizeof(text)));
			daemon_log_show(daemon, dom0->dir);
			rc = -ECHILD;
		}
	}
	return rc;
}

static int dom0_environment(const char *dir)
{
	struct places places;
	int rc = places_find(&places);

	if (!rc)
		rc = environment_dom0(&places, dir);
	if (rc)
		log_error("cannot set the environment: %s", strerror(-rc));
	return rc;
}

int dom0_run(const struct options *options, const char *dir, int signals, const sigset_t *inherited)
{
	struct dom0 dom0 = {
		.options = options, .dir = dir, .signals = signals, .inherited = inherited};
	int rc;

	for (int d = 0; d < DAEMON_COUNT; d++)
		dom0.daemons[d] = (struct daemon){.name = daemon_names[d], .ready = -1};
	namespaces_furnish("xsplit");
	rc = dom0_environment(dir);
	if (!rc)
		rc = daemons_start(&dom0, DAEMON_HOST);
	if (!rc)
		rc = dom0_live(&dom0);
	for (int d = 0; d < DAEMON_COUNT; d++)
		dom0.daemons[d].status = 0;
	daemons_stop(&dom0, DAEMON_HOST);
	if (daemons_judge(&dom0) || rc)
		return LAUNCHER_FAILED;
	return WIFEXITED(dom0.status) ? WEXITSTATUS(dom0.status) : 128 + WTERMSIG(dom0.status);
}
