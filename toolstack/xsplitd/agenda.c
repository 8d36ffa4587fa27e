#include "toolstack/xsplitd/agenda.h"

#include <stdio.h>
#include <string.h>

#include "lib/number.h"

/* Whether @path is @dir or below; @rest: what comes after "DIR/", "" at itself. */
static bool is_within(const char *path, const char *dir, const char **rest)
{
	size_t length = strlen(dir);

	if (strncmp(path, dir, length) != 0 || (path[length] && path[length] != '/'))
		return false;
	*rest = path + length + (path[length] == '/');
	return true;
}

void agenda_domain(struct agenda *agenda, uint16_t domid)
{
	if (domid < DOMID_FIRST_RESERVED)
		agenda->stirred[domid] = true;
}

void agenda_event(struct agenda *agenda, const char *path)
{
	const char *rest;
	char id[8];
	uint16_t domid;

	/* Which domain has come or gone, Xen's list of them tells. */
	if (*path == '@')
		return;
	if (!is_within(path, "/tool/xsplit/domain", &rest)) {
		agenda->recorded = true;
		return;
	}
	/* The last record went: nobody is left to look at. */
	if (!*rest)
		return;
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(rest, "/"), rest);
	if (number_parse_u16(id, &domid))
		agenda->all = true;
	else
		agenda_domain(agenda, domid);
}

bool agenda_has(const struct agenda *agenda, uint16_t domid, const struct xen_domain *domain)
{
	return !domain || domain->dying || domain->shutdown || agenda_stirred(agenda, domid);
}

bool agenda_stirred(const struct agenda *agenda, uint16_t domid)
{
	return agenda->all || (domid < DOMID_FIRST_RESERVED && agenda->stirred[domid]);
}
