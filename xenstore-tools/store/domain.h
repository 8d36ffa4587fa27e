/*
 * domain.h - the domains that the store knows: those introduced, and those that own nodes.
 */
#pragma once

#include "xenstore-tools/store/store.h"
#include "xenstore-tools/store/usage.h"

struct ring;

struct domain {
	struct table_link link;    /* in store->domains */
	struct table_link by_port; /* in store->ports, when port is not 0 */
	uint32_t port;             /* local, of its event channel */
	uint16_t domid;
	bool introduced;
	bool shutdown;                 /* and @releaseDomain was told of it */
	int64_t nodes, bytes;          /* that it owns in the live tree */
	struct connection *connection; /* of its ring, while introduced */
};

/** domain_find - the domain, or NULL when the store doesn't know it. */
struct domain *domain_find(const struct store *store, uint16_t domid);

/**
 * domain_need - the same, but a domain that exists is made known.
 * Return: NULL with errno ENOENT (no such domain) or ENOMEM.
 */
struct domain *domain_need(struct store *store, uint16_t domid);

/**
 * domain_introduce - map the domain's ring, bind its event channel and serve it. Done again, it
 * binds the channel anew and starts the connection afresh.
 * @port: of the domain
 *
 * Return: 0, -ENOMEM, or why it can be neither mapped nor bound.
 */
int domain_introduce(struct store *store, uint16_t domid, uint32_t port);

/**
 * domain_attach - serve a domain on a page that is mapped already: dom0 on its own ring.
 * @port: local, bound
 * Return: 0 or -ENOMEM.
 */
int domain_attach(struct store *store, uint16_t domid, void *page, uint32_t port);

/**
 * domain_remove - the domain is gone: so are its connection, its nodes anywhere (XSA-419), and its
 * entries in permissions (XSA-322). "@releaseDomain" is told if it had been introduced.
 *
 * Return: 0, and @domain is freed; or -ENOMEM, and it stays known, with what it still owns.
 */
int domain_remove(struct store *store, struct domain *domain);

/** domains_scan - ask the hypervisor who lives; remove the dead, tell of those shut down. */
void domains_scan(struct store *store);

/**
 * domain_set_port - note the local port of the domain's ring, 0 for none, for domain_by_port().
 * Return: 0 or -ENOMEM.
 */
int domain_set_port(struct store *store, struct domain *domain, uint32_t port);

/** domain_by_port - whom an event on local @port is from, or NULL. */
struct domain *domain_by_port(const struct store *store, uint32_t port);

/** domains_bill - apply a change of the live tree to the owners. */
void domains_bill(struct store *store, const struct usage *usage);

/**
 * domains_known - check the domains that a list of permissions names. Entries of domains that do
 * not exist are marked and grant nothing, even when such a domain appears later.
 * @perms: the caller's alone
 *
 * Return: 0, -ENOENT (the owner doesn't exist), -ENOMEM.
 */
int domains_known(struct store *store, struct perms *perms);

/**
 * domains_check - compute from the tree what each domain uses.
 * Return: how many accounts were wrong (and are now right), or -ENOMEM.
 */
int domains_check(struct store *store);
