/* The requests about domains; all but GET_DOMAIN_PATH are for dom0 alone. */
#include <errno.h>
#include <stdio.h>

#include "lib/number.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/event.h"
#include "xenstore-tools/store/request.h"

#define DOMID_MAX  0x7fefu /* below DOMID_FIRST_RESERVED */
#define DOMID_SELF 0x7ff0u

static int parse_domid(const char *text, uint16_t *domid)
{
	uint64_t number;

	if (!text || number_parse(text, DOMID_SELF, &number))
		return -EINVAL;
	*domid = number;
	return 0;
}

int serve_introduce(struct call *call)
{
	const char *argument[3];
	struct domain *domain;
	uint16_t domid;
	uint32_t port;
	bool again;
	int rc;

	/* The frame number between the two is not needed: grant 1 is the page. */
	if (wire_strings(call->request, argument, 3) != 3 || parse_domid(argument[0], &domid) ||
	    domid > DOMID_MAX || number_parse_u32(argument[2], &port) || !port)
		return -EINVAL;
	domain = domain_find(call->store, domid);
	again = domain && domain->introduced;
	rc = domain_introduce(call->store, domid, port);
	if (rc)
		return rc;
	if (!again)
		event_special(call->store, "@introduceDomain");
	return call_ok(call);
}

/* The introduced domain that an argument names, dom0 apart. */
static int introduced(struct call *call, const char *text, struct domain **domain)
{
	uint16_t domid;

	if (parse_domid(text, &domid))
		return -EINVAL;
	*domain = domain_find(call->store, domid);
	return *domain && (*domain)->introduced ? 0 : -ENOENT;
}

static int only_guest(struct call *call, struct domain **domain)
{
	const char *text = wire_string(call->request);
	uint16_t domid;

	if (parse_domid(text, &domid) || !domid)
		return -EINVAL;
	return introduced(call, text, domain);
}

int serve_release(struct call *call)
{
	struct domain *domain;
	int rc = only_guest(call, &domain);

	if (rc)
		return rc;
	rc = domain_remove(call->store, domain);
	return rc ? rc : call_ok(call);
}

int serve_resume(struct call *call)
{
	struct domain *domain;
	int rc = only_guest(call, &domain);

	if (rc)
		return rc;
	domain->shutdown = false;
	return call_ok(call);
}

int serve_set_target(struct call *call)
{
	struct domain *domain, *target;
	const char *argument[2];
	int rc;

	if (wire_strings(call->request, argument, 2) != 2)
		return -EINVAL;
	rc = introduced(call, argument[0], &domain);
	if (!rc)
		rc = introduced(call, argument[1], &target);
	if (rc)
		return rc;
	domain->connection->actor.target = target->domid;
	return call_ok(call);
}

int serve_get_domain_path(struct call *call)
{
	const char *text = wire_string(call->request);
	uint32_t domid;
	char path[32];

	if (!text || number_parse_u32(text, &domid))
		return -EINVAL;
	return call_reply(call, path, snprintf(path, sizeof(path), "/local/domain/%u", domid) + 1);
}

int serve_is_domain_introduced(struct call *call)
{
	const char *text = wire_string(call->request);
	const struct domain *domain;
	uint16_t domid;

	if (parse_domid(text, &domid))
		return -EINVAL;
	domain = domain_find(call->store, domid);
	return call_reply(call, domid == DOMID_SELF || (domain && domain->introduced) ? "T" : "F",
			  2);
}
