#include "xenstore-tools/store/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/hypervisor.h"
#include "xenstore-tools/store/ring.h"

static uint64_t hash_of(uint16_t domid)
{
	return table_hash(TABLE_HASH_START, &domid, sizeof(domid));
}

struct domain *domain_find(const struct store *store, uint16_t domid)
{
	struct table_link *link = table_first(&store->domains, hash_of(domid));

	for (; link; link = table_next(link)) {
		struct domain *domain = table_entry(link, struct domain, link);

		if (domain->domid == domid)
			return domain;
	}
	return NULL;
}

/* On plain Linux there is nobody to ask. */
static bool exists(const struct store *store, uint16_t domid)
{
	const struct hypervisor *hypervisor = store->hypervisor;
	struct hypervisor_domain found;

	if (!domid || !hypervisor)
		return true;
	return hypervisor->domains(hypervisor->state, domid, &found, 1) == 1 &&
	       found.domid == domid && !found.dying;
}

static struct domain *domain_new(struct store *store, uint16_t domid)
{
	struct domain *domain = calloc(1, sizeof(*domain));

	if (!domain || table_insert(&store->domains, &domain->link, hash_of(domid))) {
		free(domain);
		errno = ENOMEM;
		return NULL;
	}
	domain->domid = domid;
	return domain;
}

struct domain *domain_need(struct store *store, uint16_t domid)
{
	struct domain *domain = domain_find(store, domid);

	if (domain)
		return domain;
	if (!exists(store, domid)) {
		errno = ENOENT;
		return NULL;
	}
	return domain_new(store, domid);
}

/* On failure the ring stays the caller's. */
static int serve_ring(struct domain *domain, struct store *store, struct ring *ring)
{
	if (domain_set_port(store, domain, ring->port))
		return -ENOMEM;
	domain->connection = connection_new(store, domain->domid);
	if (!domain->connection) {
		domain_set_port(store, domain, 0);
		return -ENOMEM;
	}
	domain->connection->domain = domain;
	domain->connection->ring = ring;
	domain->introduced = true;
	domain->shutdown = false;
	/* Requests may be waiting in the page already. */
	connection_touch(domain->connection);
	return 0;
}

int domain_attach(struct store *store, uint16_t domid, void *page, uint32_t port)
{
	struct domain *domain = domain_need(store, domid);
	struct ring *ring;
	int rc;

	if (!domain)
		return -errno;
	ring = ring_attach(store->hypervisor, domid, page, port);
	if (!ring)
		return -ENOMEM;
	rc = serve_ring(domain, store, ring);
	if (rc)
		ring_free(ring);
	return rc;
}

static int introduce_first(struct store *store, uint16_t domid, uint32_t port)
{
	struct domain *domain = domain_need(store, domid);
	struct ring *ring;
	int rc;

	if (!domain)
		return -errno;
	rc = ring_map(store->hypervisor, domid, port, &ring);
	if (rc)
		return rc;
	rc = serve_ring(domain, store, ring);
	if (rc) {
		ring_free(ring);
		return rc;
	}
	ring_reset(ring);
	return 0;
}

int domain_introduce(struct store *store, uint16_t domid, uint32_t port)
{
	struct domain *domain = domain_find(store, domid);
	int rc;

	if (!store->hypervisor)
		return -ENOSYS;
	if (!domain || !domain->introduced)
		return introduce_first(store, domid, port);
	if (!domid)
		return -EINVAL;

	/* Without a port it is not to be found by its old one, which may be another's soon. */
	domain_set_port(store, domain, 0);
	rc = ring_rebind(domain->connection->ring, port);
	if (!rc)
		rc = domain_set_port(store, domain, domain->connection->ring->port);
	if (rc)
		return rc;
	connection_reset(domain->connection);
	domain->connection->state = CONNECTION_OPEN;
	ring_reset(domain->connection->ring);
	connection_touch(domain->connection);
	return 0;
}

static uint64_t hash_of_port(uint32_t port)
{
	return table_hash(TABLE_HASH_START, &port, sizeof(port));
}

int domain_set_port(struct store *store, struct domain *domain, uint32_t port)
{
	if (domain->port)
		table_remove(&store->ports, &domain->by_port);
	domain->port = 0;
	if (port && table_insert(&store->ports, &domain->by_port, hash_of_port(port)))
		return -ENOMEM;
	domain->port = port;
	return 0;
}

struct domain *domain_by_port(const struct store *store, uint32_t port)
{
	struct table_link *link = table_first(&store->ports, hash_of_port(port));

	for (; link; link = table_next(link)) {
		struct domain *domain = table_entry(link, struct domain, by_port);

		if (domain->port == port)
			return domain;
	}
	return NULL;
}

void domains_bill(struct store *store, const struct usage *usage)
{
	store->changes++;
	for (size_t i = 0; i < usage->count; i++) {
		struct domain *domain = domain_find(store, usage->entry[i].domid);

		if (!domain)
			continue;
		domain->nodes += usage->entry[i].nodes;
		domain->bytes += usage->entry[i].bytes;
	}
}

int domains_known(struct store *store, struct perms *perms)
{
	for (uint32_t i = 0; i < perms->count; i++) {
		if (domain_need(store, perms->entry[i].domid))
			continue;
		if (errno == ENOMEM)
			return -ENOMEM;
		if (!i)
			return -ENOENT;
		perms->entry[i].ignored = true;
	}
	return 0;
}

int domains_check(struct store *store)
{
	struct usage usage = {0};
	int wrong = 0;

	if (tree_usage(store->tree.root, &usage))
		goto fail;
	for (size_t i = 0; i < usage.count; i++)
		if (!domain_need(store, usage.entry[i].domid) && errno == ENOMEM)
			goto fail;
	for (size_t i = 0; i < store->domains.buckets; i++) {
		struct table_link *link = store->domains.bucket[i];

		for (; link; link = link->next) {
			struct domain *domain = table_entry(link, struct domain, link);
			int64_t nodes = usage_nodes(&usage, domain->domid);
			int64_t bytes = usage_bytes(&usage, domain->domid);

			wrong += domain->nodes != nodes || domain->bytes != bytes;
			domain->nodes = nodes;
			domain->bytes = bytes;
		}
	}
	usage_clear(&usage);
	return wrong;

fail:
	usage_clear(&usage);
	return -ENOMEM;
}
