#include "toolstack/xsplitd/awaited.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "toolstack/domain/record.h"

/* How long a subject is left alone whose child failed. */
#define AGAIN_SECONDS 5

uint16_t subject_domid(const struct subject *subject)
{
	return subject->kind == SUBJECT_DOMAIN ? (uint16_t)atoi(subject->id) : 0;
}

static void awaited_free(struct awaited *a)
{
	int fd;

	if (!a->event)
		return;
	fd = event_get_fd(a->event);
	event_free(a->event);
	if (fd >= 0)
		close(fd);
	*a = (struct awaited){0};
}

static void time_passed(evutil_socket_t fd, short what, void *arg)
{
	struct awaited gone = *(struct awaited *)arg;

	awaited_free(arg);
	gone.waiting->over(gone.waiting->arg, &gone.subject, false, 0);
}

/* Takes @fd. Return: false when it cannot be waited for. */
static bool awaited_set(struct awaited *a, struct awaited what, evutil_socket_t fd,
			event_callback_fn callback, const struct timeval *time)
{
	what.event = event_new(what.waiting->base, fd, fd < 0 ? 0 : EV_READ, callback, a);
	*a = what;
	if (what.event && !event_add(what.event, time))
		return true;
	if (!what.event && fd >= 0)
		close(fd);
	awaited_free(a);
	return false;
}

static void process_ended(evutil_socket_t pidfd, short what, void *arg)
{
	static const struct timeval later = {.tv_sec = AGAIN_SECONDS};
	struct awaited *a = arg, gone = *a;
	int status = 0;

	if (gone.child)
		waitpid(gone.pid, &status, 0);
	awaited_free(a);
	if (status)
		awaited_set(a, (struct awaited){.subject = gone.subject, .waiting = gone.waiting},
			    -1, time_passed, &later);
	gone.waiting->over(gone.waiting->arg, &gone.subject, gone.child, status);
}

/* Somebody who finished with the domain may live on: whoever stays at its console does. */
static bool is_done(struct waiting *w, const struct awaited *a)
{
	pid_t worker;

	return a->pid && !a->child && a->subject.kind == SUBJECT_DOMAIN &&
	       (record_worker(w->ts, subject_domid(&a->subject), &worker) != WORKER_ALIVE ||
		worker != a->pid);
}

static bool is_same(const struct subject *a, const struct subject *b)
{
	return a->kind == b->kind && !strcmp(a->id, b->id);
}

bool waiting_has(struct waiting *w, const struct subject *subject)
{
	for (int i = 0; i < AWAITED_MAX; i++) {
		struct awaited *a = &w->awaited[i];

		if (!a->event || !is_same(&a->subject, subject))
			continue;
		if (!is_done(w, a))
			return true;
		awaited_free(a);
	}
	return false;
}

struct awaited *waiting_room(struct waiting *w)
{
	for (int i = 0; i < AWAITED_MAX; i++)
		if (!w->awaited[i].event)
			return &w->awaited[i];
	return NULL;
}

bool waiting_add(struct waiting *w, struct awaited *room, pid_t pid, const struct subject *subject,
		 bool child)
{
	struct awaited a = {.pid = pid, .subject = *subject, .child = child, .waiting = w};
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	return pidfd >= 0 && awaited_set(room, a, pidfd, process_ended, NULL);
}

void waiting_end(struct waiting *w)
{
	for (int i = 0; i < AWAITED_MAX; i++)
		awaited_free(&w->awaited[i]);
}
