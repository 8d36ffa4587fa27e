#include "xenstore-tools/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/domain.h"

static const struct perm dom0_only = {.domid = 0, .access = PERM_NONE};

int store_init(struct store *store, const struct quota *quota, uint64_t secret)
{
	struct usage usage = {0};
	int rc = -ENOMEM;

	*store = (struct store){.quota = *quota, .secret = secret};
	TAILQ_INIT(&store->connections);
	TAILQ_INIT(&store->dirty);
	store->introduce = perms_new(&dom0_only, 1);
	store->release = perms_new(&dom0_only, 1);
	if (!store->introduce || !store->release || !domain_need(store, 0))
		return -ENOMEM;
	if (tree_init(&store->tree, store->introduce, &store->generation))
		return -ENOMEM;
	if (tree_create(&store->tree, "/tool/xenstored", NULL, -1, &usage))
		goto out;
	usage_clear(&usage);
	if (tree_usage(store->tree.root, &usage))
		goto out;
	domains_bill(store, &usage);
	rc = 0;
out:
	usage_clear(&usage);
	return rc;
}

void store_free(struct store *store)
{
	struct connection *connection;

	while ((connection = TAILQ_FIRST(&store->connections)))
		connection_free(connection);
	for (size_t i = 0; i < store->domains.buckets; i++) {
		struct table_link *link = store->domains.bucket[i], *next;

		for (; link; link = next) {
			next = link->next;
			free(table_entry(link, struct domain, link));
		}
	}
	table_clear(&store->domains);
	table_clear(&store->ports);
	table_clear(&store->watches);
	tree_free(&store->tree);
	perms_put(store->introduce);
	perms_put(store->release);
}

struct perms **store_special(struct store *store, const char *name)
{
	if (!strcmp(name, "@introduceDomain"))
		return &store->introduce;
	if (!strcmp(name, "@releaseDomain"))
		return &store->release;
	return NULL;
}
