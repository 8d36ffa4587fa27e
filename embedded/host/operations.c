/* What may be asked about domains: wire.h, WIRE_DOMAIN_*. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "embedded/host/domain.h"
#include "embedded/host/evtchn.h"
#include "embedded/host/process.h"
#include "embedded/host/session.h"

#define VCPUS_MAX 8192 /* MAX_VIRT_CPUS of a PV guest */

/* As Xen does: never one that was used of late, for who watches domains mixes them up. */
static uint32_t domid_free(struct host *host)
{
	for (uint32_t i = 0; i < DOMID_FIRST_RESERVED; i++) {
		host->domid = host->domid + 1 < DOMID_FIRST_RESERVED ? host->domid + 1 : 1;
		if (!domain_find(host, host->domid))
			return host->domid;
	}
	return DOMID_INVALID;
}

static int run_create(struct session *session, const void *request, void *reply,
		      struct session_fds *fds)
{
	const struct wire_domain_create *create = request;
	struct wire_domain_created *created = reply;
	struct domain *domain;
	uint32_t domid = create->domid;
	int rc;

	if (!domid || domid >= DOMID_FIRST_RESERVED)
		domid = domid_free(session->host);
	rc = domain_create(session->host, domid, create->frames, &domain);
	if (rc)
		return rc;
	domain->hvm = create->hvm;
	domain->ssidref = create->ssidref;
	memcpy(domain->handle, create->handle, sizeof(domain->handle));
	created->domid = domain->domid;
	return 0;
}

static int run_destroy(struct session *session, const void *request, void *reply,
		       struct session_fds *fds)
{
	const struct wire_domain_destroy *destroy = request;
	struct domain *domain = domain_find(session->host, destroy->domid);

	return domain ? domain_kill(domain) : -ESRCH;
}

static uint32_t info_flags(const struct domain *domain)
{
	bool running = !domain->domid || process_runs(domain->process);

	return (domain->dying ? WIRE_INFO_DYING : 0) | (domain->shutdown ? WIRE_INFO_SHUTDOWN : 0) |
	       (domain->pauses ? WIRE_INFO_PAUSED : 0) | (domain->hvm ? WIRE_INFO_HVM : 0) |
	       (running && !domain->pauses ? WIRE_INFO_RUNNING : 0);
}

static void info_fill(const struct domain *domain, struct wire_info *info)
{
	*info = (struct wire_info){
		.domid = domain->domid,
		.flags = info_flags(domain),
		.reason = domain->reason,
		.ssidref = domain->ssidref,
		.max_vcpus = domain->max_vcpus,
		.pages = domain->pages,
		.max_pages = domain->max_pages,
	};
	memcpy(info->handle, domain->handle, sizeof(info->handle));
}

/* The domain with the smallest number that is not below @first. */
static const struct domain *domain_next(struct host *host, uint32_t first)
{
	const struct domain *domain, *next = NULL;

	LIST_FOREACH (domain, &host->domains, next)
		if (domain->domid >= first && (!next || domain->domid < next->domid))
			next = domain;
	return next;
}

static int run_info(struct session *session, const void *request, void *reply,
		    struct session_fds *fds)
{
	const struct wire_domain_info *wanted = request;
	struct wire_domain_infos *infos = reply;
	const struct domain *domain;
	uint32_t first = wanted->first;

	while (infos->count < WIRE_INFO_MAX && (domain = domain_next(session->host, first))) {
		info_fill(domain, &infos->info[infos->count++]);
		first = domain->domid + 1u;
	}
	return 0;
}

static int run_set(struct session *session, const void *request, void *reply,
		   struct session_fds *fds)
{
	const struct wire_domain_set *set = request;
	struct domain *domain = domain_find(session->host, set->domid);

	if (!domain)
		return -ESRCH;
	switch (set->item) {
	case WIRE_ITEM_HANDLE:
		memcpy(domain->handle, set->handle, sizeof(domain->handle));
		return 0;
	case WIRE_ITEM_MAX_VCPUS:
		if (!set->value || set->value > VCPUS_MAX ||
		    (domain->max_vcpus && domain->max_vcpus != set->value))
			return -EINVAL;
		domain->max_vcpus = (uint32_t)set->value;
		return 0;
	case WIRE_ITEM_MAX_PAGES:
		domain->max_pages = set->value;
		return 0;
	case WIRE_ITEM_PAGES:
		if (set->value > domain->max_pages)
			return -ENOMEM;
		domain->pages = set->value;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Who asks of another domain must be dom0. */
static int domain_visible(struct session *session, uint32_t domid, struct domain **domain)
{
	*domain = domain_resolve(session->domain, domid);
	if (!*domain)
		return -ESRCH;
	return *domain != session->domain && session->domain->domid ? -EPERM : 0;
}

static int run_evtchn_status(struct session *session, const void *request, void *reply,
			     struct session_fds *fds)
{
	const struct wire_evtchn_status *wanted = request;
	struct domain *domain;
	int rc = domain_visible(session, wanted->domid, &domain);

	return rc ? rc : evtchn_status(domain, wanted->port, reply);
}

static int run_param(struct session *session, const void *request, void *reply,
		     struct session_fds *fds)
{
	const struct wire_domain_param *param = request;
	struct wire_domain_param_value *value = reply;
	struct domain *domain;
	int rc = domain_visible(session, param->domid, &domain);

	if (rc)
		return rc;
	if (param->index >= HVM_NR_PARAMS)
		return -EINVAL;
	if (param->set)
		domain->param[param->index] = param->value;
	value->value = domain->param[param->index];
	return 0;
}

static int run_control(struct session *session, const void *request, void *reply,
		       struct session_fds *fds)
{
	const struct wire_domain_control *control = request;
	struct domain *domain = domain_find(session->host, control->domid);

	if (!domain)
		return -ESRCH;
	switch (control->action) {
	case WIRE_ACTION_PAUSE:
		return domain_pause(domain);
	case WIRE_ACTION_UNPAUSE:
		return domain_unpause(domain);
	case WIRE_ACTION_SHUTDOWN:
		return domain_shutdown(domain, control->reason);
	default:
		return -EINVAL;
	}
}

static int run_program(struct session *session, const void *request, void *reply,
		       struct session_fds *fds)
{
	const struct wire_domain_program *program = request;
	struct domain *domain = domain_find(session->host, program->domid);

	if (!domain)
		return -ESRCH;
	if (!domain->domid || program->length > sizeof(program->text))
		return -EINVAL;
	return process_create(domain, program->text, program->length, program->count);
}

const struct operation domain_operations[] = {
	OPERATION(WIRE_DOMAIN_CREATE, struct wire_domain_create, struct wire_domain_created, true,
		  run_create),
	OPERATION(WIRE_DOMAIN_DESTROY, struct wire_domain_destroy, struct wire_result, true,
		  run_destroy),
	OPERATION(WIRE_DOMAIN_INFO, struct wire_domain_info, struct wire_domain_infos, true,
		  run_info),
	OPERATION(WIRE_DOMAIN_SET, struct wire_domain_set, struct wire_result, true, run_set),
	OPERATION(WIRE_DOMAIN_PARAM, struct wire_domain_param, struct wire_domain_param_value,
		  false, run_param),
	OPERATION(WIRE_DOMAIN_CONTROL, struct wire_domain_control, struct wire_result, true,
		  run_control),
	OPERATION(WIRE_DOMAIN_PROGRAM, struct wire_domain_program, struct wire_result, true,
		  run_program),
	OPERATION(WIRE_EVTCHN_STATUS, struct wire_evtchn_status, struct wire_evtchn_state, false,
		  run_evtchn_status),
	{0},
};
