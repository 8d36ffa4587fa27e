/* Whether the index says what domains have, and how it comes to when another toolstack was there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "toolstack/device/index.h"

/* Has a mark noted this, and is it there? */
static bool is_there(struct xs_handle *xs, xs_transaction_t t, const char *mark, const char *kind,
		     const struct device *device, const char *key)
{
	return xs_exists(xs, t, INDEX_PATH "/domain/%s/%s-%" PRIu32 "@%s", mark, kind, device->id,
			 key) &&
	       xs_exists(xs, t, INDEX_PATH "/%s/%s/%u-%" PRIu32, kind, key, device->domid,
			 device->id);
}

/* The file that it was when the disk was made, which another may have taken the place of since. */
static bool has_file(struct xs_handle *xs, xs_transaction_t t, const char *mark,
		     const struct device *device)
{
	unsigned count;
	char **notes = nodes_list(xs, t, &count, INDEX_PATH "/domain/%s", mark);
	char start[24];
	bool has = false;

	snprintf(start, sizeof(start), "vbd-%" PRIu32 "@", device->id);
	for (unsigned i = 0; i < count && !has; i++) {
		const char *key = notes[i] + strlen(start);

		has = !strncmp(notes[i], start, strlen(start)) && strncmp(key, "path-", 5) != 0 &&
		      is_there(xs, t, mark, "vbd", device, key);
	}
	free(notes);
	return has;
}

static bool has_image(struct xs_handle *xs, xs_transaction_t t, const char *mark,
		      const struct device *device, const char *params)
{
	struct index_image image;

	if (!*index_target(params))
		return true;
	index_image(index_target(params), &image);
	return is_there(xs, t, mark, "vbd", device, image.path) &&
	       (!*image.file || has_file(xs, t, mark, device));
}

static bool has_mac(struct xs_handle *xs, xs_transaction_t t, const char *mark,
		    const struct device *device, const char *text)
{
	char key[INDEX_KEY_SIZE];
	uint8_t mac[MAC_SIZE];

	if (mac_parse(text, mac))
		return true;
	index_mac(mac, key);
	return is_there(xs, t, mark, "vif", device, key);
}

bool index_has(struct xs_handle *xs, xs_transaction_t t, const char *mark,
	       const struct device *device)
{
	bool vif = device->type == DEVICE_VIF, has;
	char path[XS_PATH_SIZE], *value;

	if (device->type == DEVICE_CONSOLE)
		return true;
	device_private(device, path);
	value = xs_read_string(xs, t, "%s/%s", path, vif ? "mac" : "params");
	has = !value || (vif ? has_mac : has_image)(xs, t, mark, device, value);
	free(value);
	return has;
}

static bool has_all(struct xs_handle *xs, xs_transaction_t t, const char *mark,
		    struct device device)
{
	unsigned count;
	char **ids = nodes_list(xs, t, &count, "/libxl/%u/device/%s", device.domid,
				device.type == DEVICE_VIF ? "vif" : "vbd");
	bool has = true;

	for (unsigned i = 0; i < count && has; i++)
		has = number_parse_u32(ids[i], &device.id) || index_has(xs, t, mark, &device);
	free(ids);
	return has;
}

/* Of devices that are there? */
static bool has_no_more(struct xs_handle *xs, xs_transaction_t t, const char *mark, uint16_t domid)
{
	unsigned count;
	char **notes = nodes_list(xs, t, &count, INDEX_PATH "/domain/%s", mark), kind[8];
	bool no_more = true;
	uint32_t id;

	for (unsigned i = 0; i < count && no_more; i++)
		no_more = sscanf(notes[i], "%7[a-z]-%" SCNu32 "@", kind, &id) == 2 &&
			  xs_exists(xs, t, "/libxl/%u/device/%s/%" PRIu32, domid, kind, id);
	free(notes);
	return no_more;
}

struct following {
	uint16_t domid;
	const unsigned char *uuid;
	int (*before)(xs_transaction_t t, const char *mark, void *arg);
	void *arg;
	bool behind;
};

static int follow_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct following *f = arg;
	char mark[INDEX_MARK_SIZE];
	int rc = 0;

	index_mark(f->domid, f->uuid, mark);
	f->behind =
		xs_exists(xs, t, INDEX_PATH "/domain/%s", mark) &&
		(!has_all(xs, t, mark, (struct device){.type = DEVICE_VBD, .domid = f->domid}) ||
		 !has_all(xs, t, mark, (struct device){.type = DEVICE_VIF, .domid = f->domid}) ||
		 !has_no_more(xs, t, mark, f->domid));
	if (f->behind)
		rc = f->before(t, mark, f->arg);
	return f->behind && !rc ? index_domain_rebuild(xs, t, f->domid, f->uuid) : rc;
}

int index_follow(struct toolstack *ts, uint16_t domid, const uuid_t uuid,
		 int (*before)(xs_transaction_t t, const char *mark, void *arg), void *arg)
{
	struct following f = {.domid = domid, .uuid = uuid, .before = before, .arg = arg};
	int rc = xs_transact(ts->xs, follow_write, &f);

	return rc ? rc : f.behind;
}
