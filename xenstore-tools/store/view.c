#include "xenstore-tools/store/view.h"

#include <errno.h>
#include <string.h>

#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/event.h"
#include "xenstore-tools/store/path.h"

static struct tree *view_tree(struct view *view)
{
	struct tree *tree = view->transaction ? &view->transaction->work : &view->store->tree;

	tree->writer = view->actor.domid;
	return tree;
}

/* Has the guest all the memory that it may have? */
static bool used_up(const struct view *view)
{
	const struct domain *domain = domain_find(view->store, view->actor.domid);
	int64_t bytes = view->used + (domain ? domain->bytes : 0);

	return !view->actor.privileged && quota_over(bytes, view->store->quota.memory);
}

static int touch(struct view *view, const char *path, size_t length, unsigned seen,
		 unsigned changed)
{
	uint32_t max = view->actor.privileged ? 0 : view->store->quota.transaction_nodes;

	if (!view->transaction)
		return 0;
	if (used_up(view)) {
		view->transaction->failed = true;
		return -ENOMEM;
	}
	return transaction_touch(view->transaction, path, length, seen, changed, max);
}

/* What is missing, and what the answer to that depends on. */
static int missing(struct view *view, const char *path, const struct lookup *found, unsigned need)
{
	int rc;

	/* Whoever may read everything hears the same whatever there is above. */
	if (view->actor.privileged && !(need & PERM_WRITE)) {
		rc = touch(view, path, strlen(path), SEEN_EXISTENCE, 0);
		return rc ? rc : -ENOENT;
	}
	rc = touch(view, path, found->missing_length, SEEN_EXISTENCE, 0);
	if (!rc)
		rc = touch(view, path, found->ancestor_length, SEEN_EXISTENCE | SEEN_PERMS, 0);
	if (rc)
		return rc;
	return perms_access(found->ancestor->perms, &view->actor) & need ? -ENOENT : -EACCES;
}

int view_node(struct view *view, const char *path, unsigned need, unsigned seen, struct node **out)
{
	struct lookup found = tree_lookup(view_tree(view), path);
	int rc;

	if (!found.node)
		return missing(view, path, &found, need);
	if (!view->actor.privileged)
		seen |= SEEN_PERMS;
	rc = touch(view, path, strlen(path), seen | SEEN_EXISTENCE, 0);
	if (rc)
		return rc;
	if ((perms_access(found.node->perms, &view->actor) & need) != need)
		return -EACCES;
	*out = found.node;
	return 0;
}

/* Would that many more nodes and bytes keep the guest within its quotas? */
static int within(struct view *view, int64_t more_nodes, int64_t more_bytes)
{
	const struct quota *quota = &view->store->quota;
	uint16_t domid = view->actor.domid;
	const struct domain *domain = domain_find(view->store, domid);
	int64_t nodes = more_nodes, bytes = more_bytes + view->used;

	if (view->actor.privileged)
		return 0;
	if (domain) {
		nodes += domain->nodes;
		bytes += domain->bytes;
	}
	if (view->transaction)
		nodes += usage_nodes(&view->transaction->usage, domid);
	/* Somebody else may have made it exceed them: what takes no more is still allowed. */
	if (more_nodes > 0 && quota_over(nodes, quota->nodes))
		return -ENOSPC;
	return more_bytes > 0 && quota_over(bytes, quota->memory) ? -ENOMEM : 0;
}

static int size_within(struct view *view, size_t size)
{
	uint32_t max = view->store->quota.node_size;

	return !view->actor.privileged && max && size >= max ? -ENOSPC : 0;
}

/* A value that lives in the transaction is billed to it, whosever node it is in. */
static void hold(struct view *view, const char *path, const struct bytes *value)
{
	if (view->transaction)
		transaction_hold(view->transaction, path, strlen(path), value->size);
}

/* A change failed half-way between work tree and notes: only an abort is safe (XSA-421). */
static int spoil(struct view *view, int rc)
{
	if (rc && view->transaction)
		view->transaction->failed = true;
	return rc;
}

/* A change was made: outside a transaction it is billed and told at once. */
static int settle(struct view *view, const char *path, struct usage *usage,
		  const struct perms *before)
{
	if (view->transaction) {
		for (size_t i = 0; i < usage->count; i++) {
			const struct usage_entry *entry = &usage->entry[i];

			if (usage_reserve(&view->transaction->usage, entry->domid))
				return spoil(view, -ENOMEM);
			usage_add(&view->transaction->usage, entry->domid, entry->nodes,
				  entry->bytes);
		}
		return 0;
	}
	domains_bill(view->store, usage);
	event_changed(view->store, path, before);
	return 0;
}

/* New nodes: how many and how large, against the quotas of who creates them. */
static int creation_within(struct view *view, const char *path, const struct lookup *found,
			   size_t value)
{
	const char *at = path + (found->ancestor_length > 1 ? found->ancestor_length : 0);
	size_t head = 24 + 8 * (size_t)found->ancestor->perms->count, length, bytes = 0;
	size_t size = head, names = node_size(found->ancestor) - head;
	int64_t nodes = 0;
	int rc = 0;

	/* Each new name makes the node above larger; the first of those exists already. */
	size += names;
	while (!rc && path_component(&at, &length)) {
		rc = size_within(view, size + length + 1);
		size = head;
		bytes += head + length + 1;
		nodes++;
	}
	if (!rc)
		rc = size_within(view, size + value);
	return rc ? rc : within(view, nodes, bytes + value);
}

static int create(struct view *view, const char *path, const struct lookup *found,
		  struct bytes *value)
{
	int owner = view->actor.privileged ? -1 : view->actor.domid;
	size_t length = strlen(path);
	struct usage usage = {0};
	int rc;

	rc = creation_within(view, path, found, value ? value->size : 0);
	for (size_t at = found->missing_length; !rc && at <= length;
	     at += 1 + strcspn(path + at + 1, "/")) {
		rc = touch(view, path, at, 0, CHANGED_CREATED | (at == length ? CHANGED_VALUE : 0));
		if (at == length)
			break;
	}
	if (!rc)
		rc = tree_create(view_tree(view), path, value, owner, &usage);
	if (!rc && value)
		hold(view, path, value);
	if (!rc)
		rc = settle(view, path, &usage, NULL);
	else if (rc == -ENOMEM)
		spoil(view, rc);
	usage_clear(&usage);
	return rc;
}

static int overwrite(struct view *view, const char *path, const struct node *node,
		     struct bytes *value)
{
	int64_t more = (int64_t)value->size - node->value->size;
	struct usage usage = {0};
	int rc;

	rc = size_within(view, node_size(node) + more);
	if (!rc)
		rc = within(view, 0, more);
	if (!rc)
		rc = touch(view, path, strlen(path), 0, CHANGED_VALUE);
	if (!rc)
		rc = spoil(view, tree_write(view_tree(view), path, value, &usage));
	if (!rc)
		hold(view, path, value);
	if (!rc)
		rc = settle(view, path, &usage, NULL);
	usage_clear(&usage);
	return rc;
}

int view_write(struct view *view, const char *path, struct bytes *value)
{
	struct lookup found = tree_lookup(view_tree(view), path);
	struct node *node;
	int rc;

	rc = view_node(view, path, PERM_WRITE, 0, &node);
	if (rc == -ENOENT)
		return create(view, path, &found, value);
	return rc ? rc : overwrite(view, path, node, value);
}

int view_mkdir(struct view *view, const char *path)
{
	struct lookup found = tree_lookup(view_tree(view), path);
	struct node *node;
	int rc;

	rc = view_node(view, path, PERM_WRITE, 0, &node);
	return rc == -ENOENT ? create(view, path, &found, NULL) : rc;
}

/* Nothing to remove: right if the parent is there. */
static int remove_missing(struct view *view, const char *path)
{
	size_t length = path_parent(path, strlen(path));
	int rc = touch(view, path, length, SEEN_EXISTENCE, 0);

	if (rc)
		return rc;
	return tree_find(view_tree(view), path, length) ? 0 : -ENOENT;
}

int view_remove(struct view *view, const char *path)
{
	struct usage usage = {0};
	struct node *node;
	int rc;

	rc = view_node(view, path, PERM_WRITE, 0, &node);
	if (rc == -ENOENT)
		return remove_missing(view, path);
	if (rc)
		return rc;
	if (!path[1])
		return -EINVAL;

	rc = touch(view, path, strlen(path), 0, CHANGED_REMOVED);
	if (rc)
		return rc;
	/* Who may see the events depends on nodes that are about to go. */
	if (!view->transaction)
		event_removing(view->store, path, node);
	rc = spoil(view, tree_remove(view_tree(view), path, &usage));
	if (!rc && view->transaction)
		rc = settle(view, path, &usage, NULL);
	else if (!rc)
		domains_bill(view->store, &usage);
	usage_clear(&usage);
	return rc;
}

int view_set_perms(struct view *view, const char *path, struct perms *perms)
{
	struct usage usage = {0};
	struct perms *before;
	struct node *node;
	int rc;

	rc = view_node(view, path, PERM_WRITE | PERM_OWNER, SEEN_PERMS, &node);
	if (rc)
		return rc;
	if (!view->actor.privileged && perms_owner(perms) != perms_owner(node->perms))
		return -EPERM;
	if (perms->count > node->perms->count) {
		size_t more = 8 * (size_t)(perms->count - node->perms->count);

		rc = size_within(view, node_size(node) + more);
		if (!rc)
			rc = within(view, 0, more);
	}
	if (!rc)
		rc = touch(view, path, strlen(path), 0, CHANGED_PERMS);
	if (rc)
		return rc;

	before = perms_get(node->perms);
	rc = spoil(view, tree_set_perms(view_tree(view), path, perms, &usage));
	if (!rc)
		rc = settle(view, path, &usage, before);
	perms_put(before);
	usage_clear(&usage);
	return rc;
}
