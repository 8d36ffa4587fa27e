#include "xenstore-tools/store/transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct transaction *transaction_new(const struct tree *live, uint64_t secret)
{
	struct transaction *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->base = tree_snapshot(live);
	t->work = tree_snapshot(live);
	t->secret = secret;
	TAILQ_INIT(&t->touches);
	return t;
}

void transaction_free(struct transaction *t)
{
	struct touch *touch;

	if (!t)
		return;
	while ((touch = TAILQ_FIRST(&t->touches))) {
		TAILQ_REMOVE(&t->touches, touch, order);
		free(touch);
	}
	table_clear(&t->table);
	usage_clear(&t->usage);
	tree_free(&t->work);
	tree_free(&t->base);
	free(t);
}

static struct touch *touch_find(const struct transaction *t, const char *path, size_t length,
				uint64_t hash)
{
	struct table_link *link = table_first(&t->table, hash);

	for (; link; link = table_next(link)) {
		struct touch *touch = table_entry(link, struct touch, link);

		if (touch->length == length && !memcmp(touch->path, path, length))
			return touch;
	}
	return NULL;
}

static int touch_new(struct transaction *t, const char *path, size_t length, uint64_t hash,
		     size_t max, struct touch **out)
{
	struct touch *touch;

	if (max && t->count >= max)
		return -ENOSPC;
	touch = malloc(sizeof(*touch) + length + 1);
	if (!touch)
		return -ENOMEM;
	*touch = (struct touch){.length = length};
	memcpy(touch->path, path, length);
	touch->path[length] = '\0';
	if (table_insert(&t->table, &touch->link, hash)) {
		free(touch);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&t->touches, touch, order);
	t->count++;
	t->bytes += sizeof(*touch) + length + 1;
	*out = touch;
	return 0;
}

/* What the transaction itself made does not depend on anybody else. */
static unsigned seen_of_others(const struct touch *touch, unsigned seen)
{
	if (touch->changed & (CHANGED_CREATED | CHANGED_REMOVED))
		return seen & SEEN_EXISTENCE;
	if (touch->changed & CHANGED_VALUE)
		seen &= ~SEEN_VALUE;
	if (touch->changed & CHANGED_PERMS)
		seen &= ~SEEN_PERMS;
	return seen;
}

int transaction_touch(struct transaction *t, const char *path, size_t length, unsigned seen,
		      unsigned changed, size_t max)
{
	uint64_t hash = table_hash(TABLE_HASH_START ^ t->secret, path, length);
	struct touch *touch = touch_find(t, path, length, hash);
	int rc = touch ? 0 : touch_new(t, path, length, hash, max, &touch);

	if (rc) {
		t->failed = true;
		return rc;
	}
	touch->seen |= seen_of_others(touch, seen);
	touch->changed |= changed;
	/* Siblings are merged in the order in which they were made. */
	if (changed & CHANGED_CREATED) {
		TAILQ_REMOVE(&t->touches, touch, order);
		TAILQ_INSERT_TAIL(&t->touches, touch, order);
	}
	return 0;
}

void transaction_hold(struct transaction *t, const char *path, size_t length, size_t size)
{
	struct touch *touch =
		touch_find(t, path, length, table_hash(TABLE_HASH_START ^ t->secret, path, length));

	if (!touch)
		return;
	t->bytes += size - touch->held;
	touch->held = size;
}

static bool touch_valid(const struct touch *touch, const struct node *then, const struct node *now)
{
	if (!then || !now)
		return then == now;
	if ((touch->seen & SEEN_VALUE) && then->value != now->value)
		return false;
	if ((touch->seen & SEEN_PERMS) && then->perms != now->perms)
		return false;
	if ((touch->seen & SEEN_CHILDREN) && then->children != now->children &&
	    (!then->children || !now->children ||
	     then->children->generation != now->children->generation))
		return false;
	return true;
}

/* Who changed the node at @path, or removed it: then it is its parent that was changed. */
static int writer_of(const struct tree *tree, const char *path)
{
	struct lookup found = tree_lookup(tree, path);

	return found.node ? found.node->writer : found.ancestor->writer;
}

int transaction_conflict(const struct transaction *t, const struct tree *live)
{
	const struct touch *touch;

	if (t->base.root == live->root)
		return -1;
	TAILQ_FOREACH (touch, &t->touches, order)
		if (touch->seen &&
		    !touch_valid(touch, tree_find(&t->base, touch->path, touch->length),
				 tree_find(live, touch->path, touch->length)))
			return writer_of(live, touch->path);
	return -1;
}

void transaction_renew(struct transaction *t, const struct tree *live)
{
	tree_free(&t->work);
	tree_free(&t->base);
	t->base = tree_snapshot(live);
	t->work = tree_snapshot(live);
	usage_clear(&t->usage);
	t->stale = true;
}

/* Give @merged the node that @touch names as it is in the work tree. */
static int touch_apply(const struct touch *touch, const struct node *node, struct tree *merged,
		       struct usage *usage)
{
	const struct node *there = tree_find(merged, touch->path, touch->length);
	bool created = touch->changed & CHANGED_CREATED;
	int rc = 0;

	if (!there) {
		rc = tree_create(merged, touch->path, node->value, -1, usage);
		created = true;
	} else if (created || (touch->changed & CHANGED_VALUE)) {
		rc = tree_write(merged, touch->path, node->value, usage);
	}
	if (!rc && (created || (touch->changed & CHANGED_PERMS)))
		rc = tree_set_perms(merged, touch->path, node->perms, usage);
	return rc;
}

static int merge_removed(const struct transaction *t, struct tree *merged, struct usage *usage)
{
	const struct touch *touch;

	TAILQ_FOREACH (touch, &t->touches, order) {
		int rc;

		if (!(touch->changed & CHANGED_REMOVED) ||
		    !tree_find(merged, touch->path, touch->length))
			continue;
		rc = tree_remove(merged, touch->path, usage);
		if (rc)
			return rc;
	}
	return 0;
}

static int merge_made(const struct transaction *t, struct tree *merged, struct usage *usage)
{
	const struct touch *touch;

	TAILQ_FOREACH (touch, &t->touches, order) {
		const struct node *node;
		int rc;

		if (!(touch->changed & ~CHANGED_REMOVED))
			continue;
		node = tree_find(&t->work, touch->path, touch->length);
		if (!node)
			continue;
		rc = touch_apply(touch, node, merged, usage);
		if (rc)
			return rc;
	}
	return 0;
}

int transaction_merge(const struct transaction *t, const struct tree *live, struct tree *merged,
		      struct usage *usage)
{
	int rc = 0;

	/* Nothing happened since the start: the work is the result. */
	if (t->base.root == live->root) {
		for (size_t i = 0; i < t->usage.count && !rc; i++) {
			const struct usage_entry *entry = &t->usage.entry[i];

			rc = usage_reserve(usage, entry->domid);
			if (!rc)
				usage_add(usage, entry->domid, entry->nodes, entry->bytes);
		}
		if (!rc)
			*merged = tree_snapshot(&t->work);
		return rc;
	}

	*merged = tree_snapshot(live);
	merged->writer = t->work.writer;
	rc = merge_removed(t, merged, usage);
	if (!rc)
		rc = merge_made(t, merged, usage);
	if (rc)
		tree_free(merged);
	return rc;
}
