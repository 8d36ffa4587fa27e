/*
 * awaited.h - what xsplitd waits for before it looks at something again: a process that works on
 * it, its own child or somebody else's, or, after a child that failed, that some time has passed.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>
#include <uuid/uuid.h>

#include "toolstack/toolstack.h"

#define AWAITED_MAX 64

/* What is looked at: a domain by its number, or something that is recorded by a UUID. */
enum subject_kind { SUBJECT_DOMAIN, SUBJECT_RESTART, SUBJECT_CREATING, SUBJECT_AUTOSTART };
struct subject {
	enum subject_kind kind;
	char id[UUID_STR_LEN];
};

/** subject_domid - 0 for what is no domain. */
uint16_t subject_domid(const struct subject *subject);

struct awaited {
	struct event *event; /* on its pidfd or its time; NULL: free */
	pid_t pid;
	struct subject subject;
	bool child;
	struct waiting *waiting;
};

/** All of it, of one daemon, which fills in the first four. */
struct waiting {
	struct toolstack *ts;
	struct event_base *base;
	/* @child: it was our own and ended with @status; else look at the subject again */
	void (*over)(void *arg, const struct subject *subject, bool child, int status);
	void *arg;
	struct awaited awaited[AWAITED_MAX];
};

/** waiting_has - is a subject to be left alone for now? */
bool waiting_has(struct waiting *waiting, const struct subject *subject);

/** waiting_room - Return: one that is free, or NULL. */
struct awaited *waiting_room(struct waiting *waiting);

/**
 * waiting_add - for the end of a process that works on @subject.
 * @room: of waiting_room()
 * @child: it is ours, and reaped
 * Return: false when the process is gone or there is no descriptor for it.
 */
bool waiting_add(struct waiting *waiting, struct awaited *room, pid_t pid,
		 const struct subject *subject, bool child);

/** waiting_end - waits for nothing any more. */
void waiting_end(struct waiting *waiting);
