#include "embedded/host/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <xen/sched.h>

#include "embedded/host/evtchn.h"
#include "embedded/host/process.h"

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
	domain->pauses = domid ? 1 : 0;

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
	process_free(domain->process);
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

/* What xenstored, and every toolstack, waits for to look at the domains again. */
static void domains_changed(struct host *host)
{
	struct domain *dom0 = domain_find(host, 0);

	if (dom0)
		evtchn_virq(dom0, VIRQ_DOM_EXC);
}

int domain_pause(struct domain *domain)
{
	if (!domain->domid)
		return -EINVAL;
	if (domain->pauses >= DOMAIN_PAUSES_MAX)
		return -EOVERFLOW;
	if (!domain->pauses++)
		process_pause(domain->process);
	return 0;
}

int domain_unpause(struct domain *domain)
{
	int rc = 0;

	if (!domain->pauses)
		return -EINVAL;
	if (domain->pauses == 1 && !domain->shutdown && !domain->dying)
		rc = process_run(domain->process);
	if (!rc)
		domain->pauses--;
	return rc;
}

static void shutdown_finish(struct domain *domain)
{
	domain->shutdown = true;
	domains_changed(domain->host);
}

int domain_shutdown(struct domain *domain, uint32_t reason)
{
	if (!domain->domid)
		return -EINVAL;
	if (domain->shutting || domain->shutdown)
		return 0;
	domain->shutting = true;
	domain->reason = reason;
	if (process_runs(domain->process))
		process_kill(domain->process);
	else
		shutdown_finish(domain);
	return 0;
}

int domain_kill(struct domain *domain)
{
	struct host *host = domain->host;

	if (!domain->domid)
		return -EINVAL;
	domain->dying = true;
	if (process_runs(domain->process)) {
		process_kill(domain->process);
		return -EAGAIN;
	}
	domain_destroy(domain);
	domains_changed(host);
	return 0;
}

void domain_ended(struct domain *domain, int status)
{
	if (domain->dying) {
		(void)domain_kill(domain);
		return;
	}
	if (!domain->shutting)
		domain->reason = WIFEXITED(status) && !WEXITSTATUS(status) ? SHUTDOWN_poweroff
									   : SHUTDOWN_crash;
	shutdown_finish(domain);
}
