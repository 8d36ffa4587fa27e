#include "toolstack/domain/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

/* Often enough for somebody who looks at it. */
#define SHOW_MS 200

enum message_kind { MESSAGE_STAGE, MESSAGE_RESULT, MESSAGE_PROGRESS, MESSAGE_END };

struct message {
	enum message_kind kind;
	unsigned index;
	uint64_t value, total;
	int rc;
	struct fault fault; /* with MESSAGE_PROGRESS: what it does */
};

static void tell(const struct helper *helper, const struct message *message)
{
	while (send(helper->fd, message, sizeof(*message), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

void helper_stage(struct helper *helper, unsigned stage)
{
	tell(helper, &(struct message){.kind = MESSAGE_STAGE, .value = stage});
	helper->stage = stage;
}

void helper_result(struct helper *helper, unsigned index, uint64_t value)
{
	tell(helper, &(struct message){.kind = MESSAGE_RESULT, .index = index, .value = value});
}

void helper_progress(const char *doing, unsigned long done, unsigned long total, void *arg)
{
	struct helper *helper = arg;
	struct message message = {.kind = MESSAGE_PROGRESS, .value = done, .total = total};

	if (done < total && clock_ms() - helper->shown < SHOW_MS)
		return;
	helper->shown = clock_ms();
	snprintf(message.fault.text, sizeof(message.fault.text), "%s", doing ? doing : "");
	tell(helper, &message);
}

static bool is_shown(const struct helper *helper)
{
	return helper->progress == PROGRESS_ALWAYS ||
	       (helper->progress == PROGRESS_ON_TERMINAL && isatty(STDERR_FILENO));
}

static void show(const struct helper *helper, const struct message *message)
{
	if (!is_shown(helper))
		return;
	if (message->total)
		fprintf(stderr, "\r\033[K%s: %s: %3llu%% of %llu", helper->what,
			message->fault.text,
			(unsigned long long)(message->value * 100 / message->total),
			(unsigned long long)message->total);
	else
		fprintf(stderr, "\r\033[K%s: %s", helper->what, message->fault.text);
}

static void shown_end(const struct helper *helper, bool shown)
{
	if (shown && is_shown(helper))
		fputs("\r\033[K", stderr);
}

static void child_run(const struct toolstack *parent, pid_t parent_pid, struct helper *helper,
		      int (*work)(struct toolstack *ts, struct helper *helper, void *arg,
				  struct fault *fault),
		      void *arg)
{
	struct message end = {.kind = MESSAGE_END};
	struct toolstack ts;

	/* Whoever waits for it undoes it when it dies; nobody would when that one died. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent_pid)
		_exit(1);
	if (parent->interrupt.fd >= 0)
		signal(SIGINT, SIG_IGN);
	end.rc = toolstack_open(&ts, &end.fault);
	if (!end.rc) {
		end.rc = work(&ts, helper, arg, &end.fault);
		toolstack_close(&ts);
	}
	tell(helper, &end);
	_exit(0);
}

/* Return: true when it was the last. */
static bool message_take(struct helper *helper, int fd, struct message *message, bool *shown)
{
	ssize_t n = recv(fd, message, sizeof(*message), 0);

	if (n < 0 && errno == EINTR)
		return false;
	if (n != (ssize_t)sizeof(*message)) {
		*message = (struct message){.kind = MESSAGE_END, .rc = -ECHILD};
		snprintf(message->fault.text, sizeof(message->fault.text), "%s: its process died",
			 helper->what);
		return true;
	}
	switch (message->kind) {
	case MESSAGE_STAGE:
		helper->stage = (unsigned)message->value;
		break;
	case MESSAGE_RESULT:
		if (message->index < sizeof(helper->result) / sizeof(helper->result[0]))
			helper->result[message->index] = message->value;
		break;
	case MESSAGE_PROGRESS:
		show(helper, message);
		*shown = true;
		break;
	case MESSAGE_END:
		break;
	}
	return message->kind == MESSAGE_END;
}

static int follow(struct toolstack *ts, struct helper *helper, int fd, pid_t pid,
		  struct fault *fault)
{
	struct message message = {0};
	bool shown = false, over = false;
	int rc = 0;

	while (!over) {
		struct pollfd polled[] = {{.fd = fd, .events = POLLIN},
					  {.fd = ts->interrupt.fd, .events = POLLIN}};

		poll(polled, 2, -1);
		if (interrupt_came(&ts->interrupt)) {
			kill(pid, SIGKILL);
			rc = fault_set(fault, -EINTR, "interrupted");
			break;
		}
		if (polled[0].revents)
			over = message_take(helper, fd, &message, &shown);
	}
	shown_end(helper, shown);
	waitpid(pid, NULL, 0);
	/* What it said before it was killed counts. */
	while (rc && recv(fd, &message, sizeof(message), MSG_DONTWAIT) == (ssize_t)sizeof(message))
		if (message.kind == MESSAGE_STAGE)
			helper->stage = (unsigned)message.value;
	if (!rc && message.rc) {
		rc = message.rc;
		*fault = message.fault;
	}
	return rc;
}

int helper_run(struct toolstack *ts, struct helper *helper,
	       int (*work)(struct toolstack *ts, struct helper *helper, void *arg,
			   struct fault *fault),
	       void *arg, struct fault *fault)
{
	int pair[2], rc;
	pid_t pid, own = getpid();

	helper->progress = ts->progress;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		rc = -errno;
		return fault_set(fault, rc, "%s: %s", helper->what, strerror(-rc));
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(pair[0]);
		helper->fd = pair[1];
		child_run(ts, own, helper, work, arg);
	}
	close(pair[1]);
	rc = pid < 0 ? fault_set(fault, -errno, "%s: fork: %s", helper->what, strerror(errno))
		     : follow(ts, helper, pair[0], pid, fault);
	close(pair[0]);
	return rc;
}
