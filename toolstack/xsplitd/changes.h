/*
 * changes.h - what has happened to domains between two looks at them.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>

#include "toolstack/xen/xen.h"

enum change_kind {
	CHANGE_EXISTS, /* told to whoever has just come */
	CHANGE_CREATED,
	CHANGE_RENAMED,
	CHANGE_PAUSED,
	CHANGE_UNPAUSED,
	CHANGE_ENDED,   /* shut down, for the reason in shutdown_reason; still there */
	CHANGE_RESUMED, /* one that had ended (suspended) goes on */
	CHANGE_GONE,
};

/** A domain as it was seen. */
struct seen {
	struct xen_domain domain;
	char *name;
};

/** change_word - "created", "ended", ... */
const char *change_word(enum change_kind kind);

/**
 * changes_find - compare two looks, each ascending by domid, and tell of each difference.
 *
 * A number that another domain has now (by its UUID) is one gone and one created; dying domains
 * count as gone.
 */
void changes_find(const struct seen *before, size_t before_count, const struct seen *now,
		  size_t now_count,
		  void (*tell)(void *arg, enum change_kind kind, const struct seen *what),
		  void *arg);
