#include "toolstack/domain/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/device/index.h"
#include "toolstack/domain/migrate.h"
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

/* Who may have something: the domains at one moment. */
struct crowd {
	struct xen_domain *live;
	size_t lives;
	char **homes; /* whose devices are somewhere below /libxl */
	unsigned home_count;
	char **marks; /* of the index */
	unsigned mark_count;
};

/* Something that each device of a kind is asked; other than 0 ends the walk. */
struct walk {
	struct toolstack *ts;
	xs_transaction_t t;
	const char *place;
	struct fault *fault;
	const struct crowd *crowd;
	const struct disk_config *disk;
	const struct vif_config *vif;
	const unsigned char *own; /* UUID of the guest that asks, or NULL */
	/* @entry: the node of the index that led to it, or NULL */
	int (*visit)(const struct walk *walk, uint16_t domid, const char *path, const char *entry);
};

static void crowd_free(struct crowd *crowd)
{
	free(crowd->live);
	free(crowd->homes);
	free(crowd->marks);
}

static int crowd_take(struct toolstack *ts, xs_transaction_t t, struct crowd *crowd,
		      struct fault *fault)
{
	*crowd = (struct crowd){0};
	crowd->marks = nodes_list(ts->xs, t, &crowd->mark_count, INDEX_PATH "/domain");
	crowd->homes = nodes_list(ts->xs, t, &crowd->home_count, "/libxl");
	return xen_domain_list(ts->xen, &crowd->live, &crowd->lives, fault);
}

/* No rival; one that the index knows; one to be asked itself. */
enum rival { RIVAL_NONE, RIVAL_INDEXED, RIVAL_UNKNOWN };

static bool is_marked(const struct crowd *crowd, const struct xen_domain *live)
{
	char mark[INDEX_MARK_SIZE];

	index_mark(live->domid, live->uuid, mark);
	for (unsigned i = 0; i < crowd->mark_count; i++)
		if (!strcmp(crowd->marks[i], mark))
			return true;
	return false;
}

/*
 * Has Xen the domain, or does somebody just remove the rest of it? A guest that migrates within its
 * host is no rival to itself.
 */
static enum rival rival_of(const struct walk *w, uint16_t domid)
{
	const struct crowd *crowd = w->crowd;
	const struct xen_domain *live = NULL;
	pid_t worker;

	for (size_t i = 0; i < crowd->lives && !live; i++)
		if (crowd->live[i].domid == domid)
			live = &crowd->live[i];
	if (!live)
		return record_worker(w->ts, domid, &worker) == WORKER_ALIVE ? RIVAL_UNKNOWN
									    : RIVAL_NONE;
	if (w->own && !live->dying && !uuid_compare(live->uuid, w->own))
		return RIVAL_NONE;
	return is_marked(crowd, live) ? RIVAL_INDEXED : RIVAL_UNKNOWN;
}

static int walk_domain(const struct walk *w, uint16_t domid, const char *kind)
{
	unsigned count;
	char path[XS_PATH_SIZE];
	char **ids = nodes_list(w->ts->xs, w->t, &count, "/libxl/%u/device/%s", domid, kind);
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++) {
		snprintf(path, sizeof(path), "/libxl/%u/device/%s/%s", domid, kind, ids[i]);
		rc = w->visit(w, domid, path, NULL);
	}
	free(ids);
	return rc;
}

/* Those that the index does not know. */
static int walk_unknown(const struct walk *w, const char *kind)
{
	uint16_t domid;
	int rc = 0;

	for (unsigned i = 0; i < w->crowd->home_count && !rc; i++)
		if (!number_parse_u16(w->crowd->homes[i], &domid) &&
		    rival_of(w, domid) == RIVAL_UNKNOWN)
			rc = walk_domain(w, domid, kind);
	return rc;
}

static int walk_index(const struct walk *w, const char *kind, const char *key)
{
	unsigned count;
	char path[XS_PATH_SIZE], entry[XS_PATH_SIZE];
	char **owners = nodes_list(w->ts->xs, w->t, &count, INDEX_PATH "/%s/%s", kind, key);
	unsigned id;
	uint16_t domid;
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++) {
		if (sscanf(owners[i], "%" SCNu16 "-%u", &domid, &id) != 2 ||
		    rival_of(w, domid) != RIVAL_INDEXED)
			continue;
		snprintf(path, sizeof(path), "/libxl/%u/device/%s/%u", domid, kind, id);
		snprintf(entry, sizeof(entry), INDEX_PATH "/%s/%s/%s", kind, key, owners[i]);
		rc = w->visit(w, domid, path, entry);
	}
	free(owners);
	return rc;
}

/*
 * Do the two lead to one image now, or is the disk still the one of which the index has noted that
 * it was this file when it was opened?
 */
static bool image_is(const struct walk *w, const char *params, const char *entry)
{
	char *noted;
	bool same;

	if (images_same(index_target(params), w->disk->target))
		return true;
	if (!entry || strstr(entry, "/path-"))
		return false;
	noted = xs_read_string(w->ts->xs, w->t, "%s", entry);
	same = noted && !strcmp(noted, params);
	free(noted);
	return same;
}

static int image_visit(const struct walk *w, uint16_t domid, const char *path, const char *entry)
{
	char *params = xs_read_string(w->ts->xs, w->t, "%s/params", path);
	char *mode = xs_read_string(w->ts->xs, w->t, "%s/mode", path);
	bool writes = mode && *mode == 'w';
	int rc = 0;

	if (params && (writes || w->disk->writable) && image_is(w, params, entry))
		rc = fault_set(
			w->fault, -EBUSY,
			"%s: image %s is in use by domain %u%s; give each domain its own, or "
			"access=ro to both",
			w->place, w->disk->target, domid, writes ? ", which writes it" : "");
	free(params);
	free(mode);
	return rc;
}

static int image_claim(struct toolstack *ts, xs_transaction_t t, const struct crowd *crowd,
		       const struct disk_config *disk, const unsigned char *own, const char *place,
		       struct fault *fault)
{
	const struct walk walk = {.ts = ts,
				  .t = t,
				  .place = place,
				  .fault = fault,
				  .crowd = crowd,
				  .disk = disk,
				  .own = own,
				  .visit = image_visit};
	struct index_image image = {0};
	int rc;

	index_image(disk->target, &image);
	rc = walk_index(&walk, "vbd", image.path);
	if (!rc && *image.file)
		rc = walk_index(&walk, "vbd", image.file);
	return rc ? rc : walk_unknown(&walk, "vbd");
}

int claims_image(struct toolstack *ts, xs_transaction_t t, const struct disk_config *disk,
		 const char *place, struct fault *fault)
{
	struct crowd crowd;
	int rc = crowd_take(ts, t, &crowd, fault);

	if (!rc)
		rc = image_claim(ts, t, &crowd, disk, NULL, place, fault);
	crowd_free(&crowd);
	return rc;
}

static int mac_visit(const struct walk *w, uint16_t domid, const char *path, const char *entry)
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

static int mac_claim(struct toolstack *ts, xs_transaction_t t, const struct crowd *crowd,
		     const struct vif_config *vif, const unsigned char *own, const char *place,
		     struct fault *fault)
{
	const struct walk walk = {.ts = ts,
				  .t = t,
				  .place = place,
				  .fault = fault,
				  .crowd = crowd,
				  .vif = vif,
				  .own = own,
				  .visit = mac_visit};
	char key[INDEX_KEY_SIZE];
	int rc;

	index_mac(vif->mac, key);
	rc = walk_index(&walk, "vif", key);
	return rc ? rc : walk_unknown(&walk, "vif");
}

int claims_mac(struct toolstack *ts, xs_transaction_t t, const struct vif_config *vif,
	       const char *place, struct fault *fault)
{
	struct crowd crowd;
	int rc = crowd_take(ts, t, &crowd, fault);

	if (!rc)
		rc = mac_claim(ts, t, &crowd, vif, NULL, place, fault);
	crowd_free(&crowd);
	return rc;
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

static int uuid_taken(const struct domain_config *config, uint16_t domid, struct fault *fault)
{
	char place[256], uuid[UUID_STR_LEN];

	domain_config_place(config, config->uuid_line, place, sizeof(place));
	uuid_unparse_lower(config->uuid, uuid);
	return fault_set(fault, -EEXIST, "%s: uuid %s is domain %u's; leave uuid= out", place, uuid,
			 domid);
}

int claims_uuid(struct toolstack *ts, const struct domain_config *config, struct fault *fault)
{
	struct xen_domain *list;
	size_t count;
	int rc;

	if (!config->uuid_given)
		return 0;
	rc = xen_domain_list(ts->xen, &list, &count, fault);
	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++)
		if (!uuid_compare(list[i].uuid, config->uuid))
			rc = uuid_taken(config, list[i].domid, fault);
	free(list);
	return rc;
}

/*
 * Two creates at once both have a domain of that UUID in Xen: who has nodes was first. The sender
 * of a migration within this host has them, too.
 */
static int uuid_claim(struct toolstack *ts, xs_transaction_t t, const struct crowd *crowd,
		      const struct domain_config *config, struct fault *fault)
{
	for (size_t i = 0; i < crowd->lives; i++) {
		uint16_t domid = crowd->live[i].domid;

		if (!uuid_compare(crowd->live[i].uuid, config->uuid) && !crowd->live[i].dying &&
		    xs_exists(ts->xs, t, "/local/domain/%u/vm", domid) &&
		    !xs_exists(ts->xs, t, MIGRATE_PHASE, domid))
			return uuid_taken(config, domid, fault);
	}
	return 0;
}

static int devices_claim(struct toolstack *ts, xs_transaction_t t, const struct crowd *crowd,
			 const struct domain_config *config, struct fault *fault)
{
	char file[256], place[300];
	int rc = 0;

	for (size_t i = 0; i < config->disks && !rc; i++) {
		domain_config_place(config, config->disk[i].line, file, sizeof(file));
		snprintf(place, sizeof(place), "%s: disk %zu", file, i);
		rc = image_claim(ts, t, crowd, &config->disk[i], config->uuid, place, fault);
	}
	for (size_t i = 0; i < config->vifs && !rc; i++) {
		domain_config_place(config, config->vif[i].line, file, sizeof(file));
		snprintf(place, sizeof(place), "%s: vif %zu", file, i);
		rc = mac_claim(ts, t, crowd, &config->vif[i], config->uuid, place, fault);
	}
	return rc;
}

int claims_all(struct toolstack *ts, xs_transaction_t t, const struct domain_config *config,
	       struct fault *fault)
{
	struct crowd crowd;
	int rc = claims_name(ts, t, config, fault);

	if (rc)
		return rc;
	rc = crowd_take(ts, t, &crowd, fault);
	if (!rc)
		rc = uuid_claim(ts, t, &crowd, config, fault);
	if (!rc)
		rc = devices_claim(ts, t, &crowd, config, fault);
	crowd_free(&crowd);
	return rc;
}
