#include "toolstack/domain/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/nodes.h"

bool images_same(const char *a, const char *b)
{
	struct stat sa, sb;

	if (!strcmp(a, b))
		return true;
	if (stat(a, &sa) || stat(b, &sb))
		return false;
	if (S_ISBLK(sa.st_mode) && S_ISBLK(sb.st_mode))
		return sa.st_rdev == sb.st_rdev;
	return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Something that each device of a kind is asked; other than 0 ends the walk. */
struct walk {
	struct toolstack *ts;
	xs_transaction_t t;
	const char *place;
	struct fault *fault;
	const struct disk_config *disk;
	const struct vif_config *vif;
	const unsigned char *own; /* UUID of the guest that asks, or NULL */
	int (*visit)(const struct walk *walk, uint16_t domid, const char *path);
};

static int walk_domain(const struct walk *w, uint16_t domid, const char *kind)
{
	unsigned count;
	char path[XS_PATH_SIZE];
	char **ids = nodes_list(w->ts->xs, w->t, &count, "/libxl/%u/device/%s", domid, kind);
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++) {
		snprintf(path, sizeof(path), "/libxl/%u/device/%s/%s", domid, kind, ids[i]);
		rc = w->visit(w, domid, path);
	}
	free(ids);
	return rc;
}

/*
 * Has Xen the domain, or does somebody just remove the rest of it? A guest that migrates within its
 * host is no rival to itself.
 */
static bool is_there(const struct walk *w, uint16_t domid)
{
	struct xen_domain live;
	struct fault ignored = {0};
	pid_t worker;

	if (xen_domain_get(w->ts->xen, domid, &live, &ignored))
		return record_worker(w->ts, domid, &worker) == WORKER_ALIVE;
	return !w->own || live.dying || uuid_compare(live.uuid, w->own) != 0;
}

static int walk_all(const struct walk *w, const char *kind)
{
	unsigned count;
	char **domains = nodes_list(w->ts->xs, w->t, &count, "/libxl");
	uint16_t domid;
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++)
		if (!number_parse_u16(domains[i], &domid) && is_there(w, domid))
			rc = walk_domain(w, domid, kind);
	free(domains);
	return rc;
}

static int image_visit(const struct walk *w, uint16_t domid, const char *path)
{
	char *params = xs_read_string(w->ts->xs, w->t, "%s/params", path);
	char *mode = xs_read_string(w->ts->xs, w->t, "%s/mode", path);
	bool writes = mode && *mode == 'w';
	const char *target = params;
	int rc = 0;

	/* "aio:/PATH", "qcow2:/PATH"; not "nbd://HOST" */
	if (params && *params != '/' && strstr(params, ":/") && !strstr(params, "://"))
		target = strstr(params, ":/") + 1;
	if (target && (writes || w->disk->writable) && images_same(target, w->disk->target))
		rc = fault_set(
			w->fault, -EBUSY,
			"%s: image %s is in use by domain %u%s; give each domain its own, or "
			"access=ro to both",
			w->place, w->disk->target, domid, writes ? ", which writes it" : "");
	free(params);
	free(mode);
	return rc;
}

static int image_claim(struct toolstack *ts, xs_transaction_t t, const struct disk_config *disk,
		       const unsigned char *own, const char *place, struct fault *fault)
{
	struct walk walk = {.ts = ts,
			    .t = t,
			    .place = place,
			    .fault = fault,
			    .disk = disk,
			    .own = own,
			    .visit = image_visit};

	return walk_all(&walk, "vbd");
}

int claims_image(struct toolstack *ts, xs_transaction_t t, const struct disk_config *disk,
		 const char *place, struct fault *fault)
{
	return image_claim(ts, t, disk, NULL, place, fault);
}

static int mac_visit(const struct walk *w, uint16_t domid, const char *path)
{
	char *text = xs_read_string(w->ts->xs, w->t, "%s/mac", path);
	uint8_t mac[MAC_SIZE];
	int rc = 0;

	if (text && !mac_parse(text, mac) && !memcmp(mac, w->vif->mac, MAC_SIZE))
		rc = fault_set(
			w->fault, -EEXIST,
			"%s: mac %s is in use by domain %u; choose another or leave mac= out",
			w->place, text, domid);
	free(text);
	return rc;
}

static int mac_claim(struct toolstack *ts, xs_transaction_t t, const struct vif_config *vif,
		     const unsigned char *own, const char *place, struct fault *fault)
{
	struct walk walk = {.ts = ts,
			    .t = t,
			    .place = place,
			    .fault = fault,
			    .vif = vif,
			    .own = own,
			    .visit = mac_visit};

	return walk_all(&walk, "vif");
}

int claims_mac(struct toolstack *ts, xs_transaction_t t, const struct vif_config *vif,
	       const char *place, struct fault *fault)
{
	return mac_claim(ts, t, vif, NULL, place, fault);
}

int claims_name(struct toolstack *ts, xs_transaction_t t, const struct domain_config *config,
		struct fault *fault)
{
	char place[256];
	uint16_t holder;

	if (name_holder(ts, t, config->name, &holder))
		return 0;
	domain_config_place(config, config->name_line, place, sizeof(place));
	return fault_set(fault, -EEXIST,
			 "%s: name \"%s\" is domain %u's; destroy that one or choose another",
			 place, config->name, holder);
}

int claims_uuid(struct toolstack *ts, const struct domain_config *config, struct fault *fault)
{
	struct xen_domain *list;
	char place[256], uuid[UUID_STR_LEN];
	size_t count;
	int rc;

	if (!config->uuid_given)
		return 0;
	rc = xen_domain_list(ts->xen, &list, &count, fault);
	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++) {
		if (uuid_compare(list[i].uuid, config->uuid) != 0)
			continue;
		domain_config_place(config, config->uuid_line, place, sizeof(place));
		uuid_unparse_lower(config->uuid, uuid);
		rc = fault_set(fault, -EEXIST, "%s: uuid %s is domain %u's; leave uuid= out", place,
			       uuid, list[i].domid);
	}
	free(list);
	return rc;
}

int claims_all(struct toolstack *ts, xs_transaction_t t, const struct domain_config *config,
	       struct fault *fault)
{
	char file[256], place[300];
	int rc = claims_name(ts, t, config, fault);

	for (size_t i = 0; i < config->disks && !rc; i++) {
		domain_config_place(config, config->disk[i].line, file, sizeof(file));
		snprintf(place, sizeof(place), "%s: disk %zu", file, i);
		rc = image_claim(ts, t, &config->disk[i], config->uuid, place, fault);
	}
	for (size_t i = 0; i < config->vifs && !rc; i++) {
		domain_config_place(config, config->vif[i].line, file, sizeof(file));
		snprintf(place, sizeof(place), "%s: vif %zu", file, i);
		rc = mac_claim(ts, t, &config->vif[i], config->uuid, place, fault);
	}
	return rc;
}
