#include "backend/supervisor/guest.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fdpass.h"
#include "lib/log.h"
#include "lib/outbox.h"

/* Reports taken in one turn of the loop: a worker gone mad does not starve the others. */
#define REPORTS_MAX 32

/* Requests that may wait for a worker to read: far more than its devices can have at once. */
#define REQUESTS_MAX 4096

/* A worker that lived this long owes nothing to the deaths before it. */
#define HEALTHY_MS 60000

/* The rest after the first death, and the longest. */
#define REST_MS     10
#define REST_MAX_MS 1000

/* A killed worker has a second to end: one that hangs in the kernel is left behind. */
#define END_TRIES    1000
#define END_PAUSE_US 1000

extern char **environ;

struct guest {
	const struct guest_options *options;
	uint16_t domid;
	pid_t pid; /* 0: none */
	int socket;
	struct event *readable;
	struct outbox *requests;
	bool leaving;
	bool condemned;      /* we killed it for what it did */
	unsigned faults;     /* deaths that nobody else is to blame for, one soon after the other */
	uint64_t started_ms; /* the worker, of CLOCK_MONOTONIC */
	uint64_t rest_ms;    /* until when no other is started */
};

struct guest *guest_new(uint16_t domid, const struct guest_options *options)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return NULL;
	guest->options = options;
	guest->domid = domid;
	guest->socket = -1;
	return guest;
}

const struct guest_options *guest_options(const struct guest *guest)
{
	return guest->options;
}

uint16_t guest_domid(const struct guest *guest)
{
	return guest->domid;
}

bool guest_has_worker(const struct guest *guest)
{
	return guest->pid > 0;
}

bool guest_resting(const struct guest *guest)
{
	return !guest_has_worker(guest) && (uint64_t)clock_ms() < guest->rest_ms;
}

bool guest_leaving(const struct guest *guest)
{
	return guest->leaving;
}

static void hang_up(struct guest *guest)
{
	outbox_free(guest->requests);
	guest->requests = NULL;
	if (guest->readable)
		event_free(guest->readable);
	guest->readable = NULL;
	if (guest->socket >= 0)
		close(guest->socket);
	guest->socket = -1;
}

/* SIGCHLD tells the rest. */
static void worker_kill(struct guest *guest)
{
	hang_up(guest);
	if (guest_has_worker(guest))
		kill(guest->pid, SIGKILL);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct guest *guest = arg;
	const struct guest_handlers *handlers = &guest->options->handlers;

	for (int n = 0; n < REPORTS_MAX; n++) {
		struct worker_report report;
		int fds[FDPASS_MAX], rc;
		size_t count = 0;

		rc = fdpass_receive(guest->socket, &report, sizeof(report), fds, &count);
		while (count)
			close(fds[--count]); /* a worker has none to give */
		if (rc == -EAGAIN || rc == -EINTR)
			return;
		if (rc) {
			/* It has closed the socket or speaks nonsense. */
			guest->condemned = rc != -EPIPE;
			worker_kill(guest);
			return;
		}
		report.text[sizeof(report.text) - 1] = '\0';
		handlers->report(handlers->arg, guest, &report);
		if (guest->socket < 0)
			return;
	}
}

static int spawn(struct guest *guest, int socket)
{
	char domid[8];
	const char *argv[8] = {"xsplit-backend", "--worker", domid};
	int argc = 3, rc;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;

	snprintf(domid, sizeof(domid), "%u", guest->domid);
	if (guest->options->user) {
		argv[argc++] = "--user";
		argv[argc++] = guest->options->user;
	}
	if (!guest->options->sandboxed)
		argv[argc++] = "--without-sandbox";
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, GUEST_WORKER_SOCKET);
	if (guest->options->network >= 0)
		posix_spawn_file_actions_adddup2(&actions, guest->options->network,
						 GUEST_WORKER_NETWORK);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	rc = -posix_spawn(&guest->pid, "/proc/self/exe", &actions, &attributes, (char *const *)argv,
			  environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		guest->pid = 0;
	guest->condemned = false;
	guest->started_ms = clock_ms();
	return rc;
}

static int start(struct guest *guest)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	rc = spawn(guest, pair[1]);
	close(pair[1]);
	if (rc) {
		close(pair[0]);
		return rc;
	}
	guest->socket = pair[0];
	guest->readable = event_new(guest->options->base, guest->socket, EV_READ | EV_PERSIST,
				    on_readable, guest);
	if (!guest->readable || event_add(guest->readable, NULL) ||
	    outbox_new(&guest->requests, guest->options->base, guest->socket, REQUESTS_MAX)) {
		worker_kill(guest);
		return -ENOMEM;
	}
	log_debug("guest %u: worker is process %d", guest->domid, guest->pid);
	return 0;
}

int guest_request(struct guest *guest, const struct worker_request *request, const int *fds,
		  size_t count)
{
	int rc;

	if (!guest_has_worker(guest)) {
		rc = start(guest);
		if (rc) {
			log_error("guest %u: its worker cannot be started: %s", guest->domid,
				  strerror(-rc));
			return rc;
		}
	}
	rc = guest->requests ? outbox_send(guest->requests, request, sizeof(*request), fds, count)
			     : -EPIPE;
	if (rc == -ENOBUFS)
		log_error("guest %u: its worker does not read its requests, killed", guest->domid);
	if (rc) {
		guest->condemned |= rc != -EPIPE;
		worker_kill(guest);
	}
	return 0;
}

/* How long nobody is started; somebody else's SIGKILL is not held against the next one. */
static void rest(struct guest *guest, bool fault)
{
	uint64_t now = clock_ms(), lived = now - guest->started_ms, ms = REST_MS;

	if (!fault && lived > REST_MAX_MS)
		return;
	if (lived > HEALTHY_MS)
		guest->faults = 0;
	for (unsigned n = 0; fault && n < guest->faults && ms < REST_MAX_MS; n++)
		ms *= 2;
	guest->faults += fault;
	guest->rest_ms = now + (ms < REST_MAX_MS ? ms : REST_MAX_MS);
}

void guest_reap(struct guest *guest)
{
	const struct guest_handlers *handlers = &guest->options->handlers;
	char how[64];
	bool fault;
	int status;

	if (!guest_has_worker(guest) || waitpid(guest->pid, &status, WNOHANG) != guest->pid)
		return;
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	if (guest->leaving && status)
		log_warn("guest %u: worker %d %s after its work was done", guest->domid, guest->pid,
			 how);
	else if (guest->leaving)
		log_debug("guest %u: worker %d %s", guest->domid, guest->pid, how);
	else
		log_error("guest %u: worker %d %s; another takes its devices over", guest->domid,
			  guest->pid, how);
	hang_up(guest);
	guest->pid = 0;
	fault = guest->condemned || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
	rest(guest, fault);
	handlers->died(handlers->arg, guest, how, fault);
}

void guest_leave(struct guest *guest, bool force)
{
	guest->leaving = true;
	if (force)
		worker_kill(guest);
	else
		hang_up(guest);
}

void guest_wait(struct guest *guest)
{
	for (int n = 0; guest_has_worker(guest) && n < END_TRIES; n++) {
		if (waitpid(guest->pid, NULL, WNOHANG))
			guest->pid = 0;
		else
			usleep(END_PAUSE_US);
	}
}

void guest_free(struct guest *guest)
{
	hang_up(guest);
	guest_wait(guest);
	free(guest);
}
