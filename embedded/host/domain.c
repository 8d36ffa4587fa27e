#include "embedded/host/domain.h"

#include <errno.h>
#include <stdlib.h>

#include "embedded/host/evtchn.h"
#include "embedded/host/session.h"

int domain_create(struct host *host, uint32_t domid, uint32_t frames, struct domain **made)
{
	struct domain *domain;
	int rc;

	if (domid >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	if (domain_find(host, domid))
		return -EEXIST;
	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	domain->host = host;
	domain->domid = (uint16_t)domid;

	rc = memory_create(domain, frames);
	if (rc)
		goto out;
	rc = evtchn_create(domain);
	if (rc)
		goto memory;
	rc = host_domain_socket(domain);
	if (rc)
		goto evtchn;
	LIST_INSERT_HEAD(&host->domains, domain, next);
	*made = domain;
	return 0;

evtchn:
	evtchn_destroy(domain);
memory:
	memory_destroy(domain);
out:
	free(domain);
	return rc;
}

void domain_destroy(struct domain *domain)
{
	host_domain_socket_close(domain);
	evtchn_destroy(domain);
	memory_destroy(domain);
	LIST_REMOVE(domain, next);
	free(domain);
}

struct domain *domain_find(struct host *host, uint32_t domid)
{
	struct domain *domain;

	LIST_FOREACH (domain, &host->domains, next)
		if (domain->domid == domid)
			return domain;
	return NULL;
}

struct domain *domain_find_serial(struct host *host, uint32_t serial)
{
	struct domain *domain;

	LIST_FOREACH (domain, &host->domains, next)
		if (domain->serial == serial)
			return domain;
	return NULL;
}

struct domain *domain_resolve(struct domain *self, uint32_t domid)
{
	return domid == DOMID_SELF ? self : domain_find(self->host, domid);
}

static uint32_t domid_free(struct host *host)
{
	for (uint32_t domid = 1; domid < DOMID_FIRST_RESERVED; domid++)
		if (!domain_find(host, domid))
			return domid;
	return DOMID_INVALID;
}

static int run_create(struct session *session, const void *request, void *reply,
		      struct session_fds *fds)
{
	const struct wire_domain_create *create = request;
	struct wire_domain_created *created = reply;
	struct domain *domain;
	int rc;

	rc = domain_create(session->host, create->domid ? create->domid : domid_free(session->host),
			   create->frames, &domain);
	if (!rc)
		created->domid = domain->domid;
	return rc;
}

static int run_destroy(struct session *session, const void *request, void *reply,
		       struct session_fds *fds)
{
	const struct wire_domain_destroy *destroy = request;
	struct domain *domain = domain_find(session->host, destroy->domid);

	if (!domain)
		return -ESRCH;
	if (!domain->domid)
		return -EINVAL;
	domain_destroy(domain);
	return 0;
}

const struct operation domain_operations[] = {
	OPERATION(WIRE_DOMAIN_CREATE, struct wire_domain_create, struct wire_domain_created, true,
		  run_create),
	OPERATION(WIRE_DOMAIN_DESTROY, struct wire_domain_destroy, struct wire_result, true,
		  run_destroy),
	{0},
};
