#include "toolstack/xsplitd/changes.h"

#include <string.h>

const char *change_word(enum change_kind kind)
{
	static const char *const words[] = {
		[CHANGE_EXISTS] = "exists",     [CHANGE_CREATED] = "created",
		[CHANGE_RENAMED] = "renamed",   [CHANGE_PAUSED] = "paused",
		[CHANGE_UNPAUSED] = "unpaused", [CHANGE_ENDED] = "ended",
		[CHANGE_RESUMED] = "resumed",   [CHANGE_GONE] = "gone",
	};

	return words[kind];
}

struct telling {
	void (*tell)(void *arg, enum change_kind kind, const struct seen *what);
	void *arg;
};

static void say(const struct telling *t, enum change_kind kind, const struct seen *what)
{
	t->tell(t->arg, kind, what);
}

/* The same domain at two times. */
static void compare(const struct telling *t, const struct seen *before, const struct seen *now)
{
	const struct xen_domain *was = &before->domain, *is = &now->domain;

	if (strcmp(before->name, now->name) != 0)
		say(t, CHANGE_RENAMED, now);
	if (was->paused != is->paused)
		say(t, is->paused ? CHANGE_PAUSED : CHANGE_UNPAUSED, now);
	if (was->shutdown != is->shutdown)
		say(t, is->shutdown ? CHANGE_ENDED : CHANGE_RESUMED, now);
}

static void first_seen(const struct telling *t, const struct seen *now)
{
	say(t, CHANGE_CREATED, now);
	if (now->domain.shutdown)
		say(t, CHANGE_ENDED, now);
}

static bool is_same(const struct seen *a, const struct seen *b)
{
	return a->domain.domid == b->domain.domid && !uuid_compare(a->domain.uuid, b->domain.uuid);
}

/* Skips what is dying. */
static const struct seen *next(const struct seen **at, const struct seen *end)
{
	while (*at < end && (*at)->domain.dying)
		++*at;
	return *at < end ? *at : NULL;
}

void changes_find(const struct seen *before, size_t before_count, const struct seen *now,
		  size_t now_count,
		  void (*tell)(void *arg, enum change_kind kind, const struct seen *what),
		  void *arg)
{
	const struct telling t = {tell, arg};
	const struct seen *old_end = before + before_count, *new_end = now + now_count;

	for (;;) {
		const struct seen *old = next(&before, old_end), *new = next(&now, new_end);

		if (!old && !new)
			return;
		if (old && new &&is_same(old, new)) {
			compare(&t, old, new);
			before++;
			now++;
		} else if (old && (!new || old->domain.domid <= new->domain.domid)) {
			say(&t, CHANGE_GONE, old);
			before++;
		} else {
			first_seen(&t, new);
			now++;
		}
	}
}
