#include "xenstore-tools/store/event.h"

#include <string.h>

#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/path.h"
#include "xenstore-tools/store/watch.h"

/** An event, and the permissions any of which lets a client hear of it. */
struct event {
	struct store *store;
	const char *path;
	const struct perms *readable[4];
	size_t count;
};

static void event_readable(struct event *event, const struct node *node)
{
	if (node)
		event->readable[event->count++] = node->perms;
}

static void event_send(struct watch *watch, void *arg)
{
	const struct event *event = (const struct event *)arg;

	for (size_t i = 0; i < event->count; i++) {
		if (perms_access(event->readable[i], &watch->connection->actor) & PERM_READ) {
			connection_event(watch->connection, watch, event->path);
			return;
		}
	}
}

static const struct node *parent_in(const struct tree *tree, const char *path)
{
	return tree_find(tree, path, path_parent(path, strlen(path)));
}

void event_changed(struct store *store, const char *path, const struct perms *before)
{
	struct event event = {.store = store, .path = path};

	if (!store->watches.count)
		return;
	event_readable(&event, tree_find(&store->tree, path, strlen(path)));
	event_readable(&event, parent_in(&store->tree, path));
	if (before)
		event.readable[event.count++] = before;
	watch_match(store, path, event_send, &event);
}

struct removing {
	struct store *store;
	const struct node *top;
};

static int removing_below(const char *path, const struct node *node, const struct node *parent,
			  void *arg)
{
	const struct removing *removing = (const struct removing *)arg;
	struct event event = {.store = removing->store, .path = path};

	if (node == removing->top)
		return 0;
	event_readable(&event, node);
	event_readable(&event, parent);
	watch_match_exact(removing->store, path, event_send, &event);
	return 0;
}

/* The events below a removed node; without memory they are lost, as C's are. */
static void removing_subtree(struct store *store, const char *path, const struct node *node)
{
	struct removing removing = {store, node};

	(void)tree_walk(node, path, removing_below, &removing);
}

void event_removing(struct store *store, const char *path, const struct node *node)
{
	struct event event = {.store = store, .path = path};

	if (!store->watches.count)
		return;
	removing_subtree(store, path, node);
	event_readable(&event, node);
	event_readable(&event, parent_in(&store->tree, path));
	watch_match(store, path, event_send, &event);
}

void event_committing(struct store *store, const struct transaction *t, const struct tree *merged)
{
	const struct touch *touch;

	if (!store->watches.count)
		return;
	TAILQ_FOREACH (touch, &t->touches, order) {
		struct event event = {.store = store, .path = touch->path};
		const struct node *before = tree_find(&store->tree, touch->path, touch->length);
		const struct node *after = tree_find(merged, touch->path, touch->length);

		/* Parents that came into being by the way are not told, nor what came and went. */
		if (!(touch->changed & ~CHANGED_CREATED) || (!before && !after))
			continue;
		if (before && (touch->changed & CHANGED_REMOVED))
			removing_subtree(store, touch->path, before);
		event_readable(&event, before);
		event_readable(&event, after);
		event_readable(&event, parent_in(&store->tree, touch->path));
		event_readable(&event, parent_in(merged, touch->path));
		watch_match(store, touch->path, event_send, &event);
	}
}

void event_special(struct store *store, const char *name)
{
	struct perms *const *special = store_special(store, name);
	struct event event = {.store = store, .path = name};

	if (!special)
		return;
	event.readable[event.count++] = *special;
	watch_match_exact(store, name, event_send, &event);
}
