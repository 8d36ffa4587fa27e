/* The requests that read and change nodes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/path.h"
#include "xenstore-tools/store/request.h"

/* The node that the only argument names. */
static int only_node(struct call *call, unsigned need, unsigned seen, struct node **node)
{
	char path[PATH_SIZE];
	int rc = call_path(call, wire_string(call->request), path);

	return rc ? rc : view_node(&call->view, path, need, seen, node);
}

static const struct bytes no_names = {.refs = 1};

static int listing_of(const struct node *node, const struct bytes **listing)
{
	*listing = node->children ? children_listing(node->children) : &no_names;
	return *listing ? 0 : -ENOMEM;
}

int serve_directory(struct call *call)
{
	const struct bytes *listing;
	struct node *node;
	int rc = only_node(call, PERM_READ, SEEN_CHILDREN, &node);

	if (rc)
		return rc;
	if (node_names(node) > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	rc = listing_of(node, &listing);
	return rc ? rc : call_reply(call, listing->data, listing->size);
}

/* Whole names from @offset on, as many as fit into @room; a lone NUL behind the last of all. */
static size_t listing_part(const struct bytes *listing, uint32_t offset, char *out, size_t room)
{
	size_t left, size = 0;

	if (offset >= listing->size) {
		out[0] = '\0';
		return 1;
	}
	left = listing->size - offset;
	while (size < left) {
		size_t length = strlen(listing->data + offset + size) + 1;

		if (size + length > room - 1)
			break;
		size += length;
	}
	memcpy(out, listing->data + offset, size);
	if (size == left)
		out[size++] = '\0';
	return size;
}

int serve_directory_part(struct call *call)
{
	char path[PATH_SIZE], body[XENSTORE_PAYLOAD_MAX];
	const struct bytes *listing;
	const char *argument[3];
	struct node *node;
	uint32_t offset;
	size_t head;
	int rc;

	if (wire_strings(call->request, argument, 3) != 2 || number_parse_u32(argument[1], &offset))
		return -EINVAL;
	rc = call_path(call, argument[0], path);
	if (!rc)
		rc = view_node(&call->view, path, PERM_READ, SEEN_CHILDREN, &node);
	if (!rc)
		rc = listing_of(node, &listing);
	if (rc)
		return rc;
	head = snprintf(body, sizeof(body), "%llu",
			(unsigned long long)(node->children ? node->children->generation : 0)) +
	       1;
	return call_reply(call, body,
			  head + listing_part(listing, offset, body + head, sizeof(body) - head));
}

int serve_read(struct call *call)
{
	struct node *node;
	int rc = only_node(call, PERM_READ, SEEN_VALUE, &node);

	return rc ? rc : call_reply(call, node->value->data, node->value->size);
}

int serve_get_perms(struct call *call)
{
	char body[XENSTORE_PAYLOAD_MAX];
	struct node *node;
	int rc = only_node(call, PERM_READ, SEEN_PERMS, &node);

	if (rc)
		return rc;
	rc = perms_format(node->perms, body, sizeof(body));
	return rc < 0 ? rc : call_reply(call, body, rc);
}

int serve_write(struct call *call)
{
	const struct request *request = call->request;
	char path[PATH_SIZE];
	const char *text;
	struct bytes *value;
	size_t head;
	int rc;

	if (!wire_strings(request, &text, 1))
		return -EINVAL;
	rc = call_path(call, text, path);
	if (rc)
		return rc;
	head = strlen(text) + 1;
	value = bytes_new(text + head, request->header.len - head);
	if (!value)
		return -ENOMEM;
	rc = view_write(&call->view, path, value);
	bytes_put(value);
	return rc ? rc : call_ok(call);
}

int serve_mkdir(struct call *call)
{
	char path[PATH_SIZE];
	int rc = call_path(call, wire_string(call->request), path);

	if (!rc)
		rc = view_mkdir(&call->view, path);
	return rc ? rc : call_ok(call);
}

int serve_rm(struct call *call)
{
	char path[PATH_SIZE];
	int rc = call_path(call, wire_string(call->request), path);

	if (!rc)
		rc = view_remove(&call->view, path);
	return rc ? rc : call_ok(call);
}

/* "@introduceDomain" and "@releaseDomain" have permissions and nothing else. */
static int set_special(struct call *call, const char *name, struct perms *perms)
{
	struct perms **special = store_special(call->store, name);
	unsigned need = PERM_WRITE | PERM_OWNER;

	if (!special)
		return -EINVAL;
	if ((perms_access(*special, &call->connection->actor) & need) != need)
		return -EACCES;
	perms_put(*special);
	*special = perms_get(perms);
	return 0;
}

static int set_perms(struct call *call, const char *text, struct perms *perms)
{
	uint32_t max = call->store->quota.node_permissions;
	char path[PATH_SIZE];
	int rc;

	if (!call->connection->actor.privileged && max && perms->count > max)
		return -ENOSPC;
	rc = domains_known(call->store, perms);
	if (rc)
		return rc;
	if (path_special(text))
		return set_special(call, text, perms);
	rc = call_path(call, text, path);
	return rc ? rc : view_set_perms(&call->view, path, perms);
}

int serve_set_perms(struct call *call)
{
	const struct request *request = call->request;
	struct perms *perms;
	const char *text;
	size_t head;
	int rc;

	if (!wire_strings(request, &text, 1))
		return -EINVAL;
	head = strlen(text) + 1;
	rc = perms_parse(text + head, request->header.len - head, &perms);
	if (rc)
		return rc;
	rc = set_perms(call, text, perms);
	perms_put(perms);
	return rc ? rc : call_ok(call);
}
