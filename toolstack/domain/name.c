#include "toolstack/domain/name.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/nearest.h"
#include "toolstack/nodes.h"

void name_path(const char *name, char path[NAME_PATH_SIZE])
{
	size_t at = (size_t)snprintf(path, NAME_PATH_SIZE, "/tool/xsplit/name/");

	for (; *name && at + 4 < NAME_PATH_SIZE; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c < 0x80 && isalnum(c)) || c == '-' || c == '_')
			path[at++] = (char)c;
		else
			at += (size_t)snprintf(path + at, NAME_PATH_SIZE - at, "@%02x", c);
	}
	path[at] = '\0';
}

/* Is there such a domain, and is this its name? */
static bool is_name_of(struct toolstack *ts, xs_transaction_t t, const char *name, uint16_t domid)
{
	struct xen_domain domain;
	struct fault ignored = {0};
	char *own = xs_read_string(ts->xs, t, "/local/domain/%u/name", domid);
	bool same = own && !strcmp(own, name);

	free(own);
	return same && !xen_domain_get(ts->xen, domid, &domain, &ignored);
}

int name_holder(struct toolstack *ts, xs_transaction_t t, const char *name, uint16_t *domid)
{
	char path[NAME_PATH_SIZE];
	uint64_t id;

	name_path(name, path);
	if (xs_read_number(ts->xs, t, DOMID_FIRST_RESERVED - 1, &id, "%s", path) ||
	    !is_name_of(ts, t, name, (uint16_t)id))
		return -ENOENT;
	*domid = (uint16_t)id;
	return 0;
}

char *name_of(struct toolstack *ts, uint16_t domid)
{
	return xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/name", domid);
}

/* Domains of other toolstacks are not in the index. */
static int scan(struct toolstack *ts, const char *name, uint16_t *domid, char near[128])
{
	unsigned count, best = UINT_MAX;
	char **ids = nodes_list(ts->xs, XBT_NULL, &count, "/local/domain");
	int rc = -ENOENT;

	for (unsigned i = 0; i < count && rc; i++) {
		uint16_t id;
		char *own = number_parse_u16(ids[i], &id) ? NULL : name_of(ts, id);
		unsigned distance = own ? nearest_distance(name, own) : UINT_MAX;

		if (own && !strcmp(own, name)) {
			*domid = id;
			rc = 0;
		} else if (distance < best && nearest_near(name, distance)) {
			best = distance;
			snprintf(near, 128, "%s", own);
		}
		free(own);
	}
	free(ids);
	return rc;
}

static int by_id(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (rc == -ENOENT && (xs_exists(ts->xs, XBT_NULL, "/libxl/%u", domid) ||
			      xs_exists(ts->xs, XBT_NULL, "/tool/xsplit/domain/%u", domid)))
		rc = 0;
	if (rc == -ENOENT)
		fault_set(fault, rc, "domain %u does not exist; xsplit list shows what there is",
			  domid);
	return rc;
}

int name_find(struct toolstack *ts, const char *word, uint16_t *domid, struct fault *fault)
{
	char near[128] = "";

	if (!number_parse_u16(word, domid))
		return by_id(ts, *domid, fault);
	if (!name_holder(ts, XBT_NULL, word, domid) || !scan(ts, word, domid, near))
		return 0;
	return fault_set(fault, -ENOENT, "domain %s does not exist; %s%s%s", word,
			 *near ? "did you mean " : "xsplit list shows what there is", near,
			 *near ? "?" : "");
}
