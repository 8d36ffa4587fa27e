/* The end of a domain: what it owned, what it was allowed, who is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/event.h"
#include "xenstore-tools/store/hypervisor.h"
#include "xenstore-tools/store/path.h"

/** Domains asked for at once. */
#define SCAN_DOMAINS 64

/** Paths of nodes that a walk found, packed, a NUL behind each. */
struct harvest {
	uint16_t domid;
	bool owned; /* look for owned nodes; else for entries in permissions */
	char *paths;
	size_t size, room;
};

static int harvest_add(struct harvest *harvest, const char *path)
{
	size_t length = strlen(path) + 1;

	if (harvest->room - harvest->size < length) {
		size_t room = harvest->room * 2 + PATH_SIZE;
		char *paths = realloc(harvest->paths, room);

		if (!paths)
			return -ENOMEM;
		harvest->paths = paths;
		harvest->room = room;
	}
	memcpy(harvest->paths + harvest->size, path, length);
	harvest->size += length;
	return 0;
}

static int harvest_visit(const char *path, const struct node *node, const struct node *parent,
			 void *arg)
{
	struct harvest *harvest = (struct harvest *)arg;
	int rc;

	if (!harvest->owned)
		return perms_mention(node->perms, harvest->domid) ? harvest_add(harvest, path) : 0;
	/* What is below an owned node goes with it. "/" stays: only its owner changes. */
	if (perms_owner(node->perms) != harvest->domid || !path[1])
		return 0;
	rc = harvest_add(harvest, path);
	return rc ? rc : 1;
}

static int node_remove(struct store *store, const char *path)
{
	const struct node *node = tree_find(&store->tree, path, strlen(path));
	struct usage usage = {0};
	int rc;

	event_removing(store, path, node);
	rc = tree_remove(&store->tree, path, &usage);
	if (!rc)
		domains_bill(store, &usage);
	usage_clear(&usage);
	return rc;
}

static int node_forget(struct store *store, const char *path, uint16_t domid)
{
	const struct node *node = tree_find(&store->tree, path, strlen(path));
	struct perms *perms = perms_without(node->perms, domid);
	struct usage usage = {0};
	int rc;

	if (!perms)
		return -ENOMEM;
	rc = tree_set_perms(&store->tree, path, perms, &usage);
	if (!rc)
		domains_bill(store, &usage);
	perms_put(perms);
	usage_clear(&usage);
	return rc;
}

static int clean(struct store *store, uint16_t domid, bool owned)
{
	struct harvest harvest = {.domid = domid, .owned = owned};
	int rc = tree_walk(store->tree.root, "/", harvest_visit, &harvest);
	const char *path = harvest.paths;

	for (; !rc && path && path < harvest.paths + harvest.size; path += strlen(path) + 1)
		rc = owned ? node_remove(store, path) : node_forget(store, path, domid);
	/* Somebody gave it the root: dom0 takes it back. */
	if (!rc && owned && perms_owner(store->tree.root->perms) == domid)
		rc = node_forget(store, "/", domid);
	free(harvest.paths);
	return rc;
}

static void special_forget(struct perms **special, uint16_t domid)
{
	struct perms *perms = perms_without(*special, domid);

	if (!perms)
		return;
	perms_put(*special);
	*special = perms;
}

/* A stub domain that served it has no rights through it any more (XSA-233, domid reuse). */
static void targets_forget(struct store *store, uint16_t domid)
{
	struct connection *connection;

	TAILQ_FOREACH (connection, &store->connections, all)
		if (connection->actor.target == domid)
			connection->actor.target = PERM_NOBODY;
}

int domain_remove(struct store *store, struct domain *domain)
{
	uint16_t domid = domain->domid;
	int rc = 0;

	store->tree.writer = 0;
	domain_set_port(store, domain, 0);
	if (domain->connection)
		connection_free(domain->connection);
	domain->connection = NULL;
	domain->introduced = false;
	special_forget(&store->introduce, domid);
	special_forget(&store->release, domid);
	targets_forget(store, domid);
	store->deaths++;
	if (domain->nodes)
		rc = clean(store, domid, true);
	if (!rc)
		rc = clean(store, domid, false);
	if (rc) {
		/* Known for as long as it owns something, so the next scan tries again. */
		log_error("domain %u: no memory to remove all that it left; the next domain that "
			  "ends lets it be tried again",
			  domid);
	} else {
		table_remove(&store->domains, &domain->link);
		free(domain);
	}
	/*
	 * Also of one that was never introduced: xenconsoled maps the console of any domain that
	 * has the nodes, and keeps a dead one's memory until it hears of a death.
	 */
	event_special(store, "@releaseDomain");
	return rc;
}

/* What the hypervisor says of one domain. */
static const struct hypervisor_domain *find(const struct hypervisor_domain *list, size_t count,
					    uint16_t domid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].domid == domid)
			return &list[i];
	return NULL;
}

static int list_domains(const struct hypervisor *hypervisor, struct hypervisor_domain **out,
			size_t *count)
{
	struct hypervisor_domain *list = NULL;
	size_t have = 0;
	int got;

	do {
		struct hypervisor_domain *more =
			realloc(list, (have + SCAN_DOMAINS) * sizeof(*more));

		if (!more) {
			free(list);
			return -ENOMEM;
		}
		list = more;
		got = hypervisor->domains(hypervisor->state, have ? list[have - 1].domid + 1 : 0,
					  list + have, SCAN_DOMAINS);
		if (got < 0) {
			free(list);
			return got;
		}
		have += got;
	} while (got == SCAN_DOMAINS);
	*out = list;
	*count = have;
	return 0;
}

/* The next domain to be removed; the table may have changed with the last one. */
static struct domain *next_dead(const struct store *store, const struct hypervisor_domain *list,
				size_t count)
{
	for (size_t i = 0; i < store->domains.buckets; i++) {
		struct table_link *link = store->domains.bucket[i];

		for (; link; link = link->next) {
			struct domain *domain = table_entry(link, struct domain, link);
			const struct hypervisor_domain *is = find(list, count, domain->domid);

			if (domain->domid && (!is || is->dying))
				return domain;
		}
	}
	return NULL;
}

static bool note_shutdowns(struct store *store, const struct hypervisor_domain *list, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct domain *domain = domain_find(store, list[i].domid);

		if (!domain || !domain->introduced || !list[i].shutdown || domain->shutdown)
			continue;
		domain->shutdown = true;
		any = true;
	}
	return any;
}

void domains_scan(struct store *store)
{
	struct hypervisor_domain *list;
	struct domain *domain;
	size_t count;
	int rc;

	if (!store->hypervisor)
		return;
	rc = list_domains(store->hypervisor, &list, &count);
	if (rc) {
		log_error("domains: the hypervisor doesn't list them: %s; those that died stay "
			  "until the next event",
			  strerror(-rc));
		return;
	}
	while ((domain = next_dead(store, list, count)))
		if (domain_remove(store, domain))
			break;
	if (note_shutdowns(store, list, count))
		event_special(store, "@releaseDomain");
	free(list);
}
