#include "toolstack/device/info.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/config/vdev.h"
#include "toolstack/json.h"

/* The first of some nodes of the frontend that holds a number. */
static int front_number(struct toolstack *ts, const char *front, const char *const *names)
{
	uint64_t value;

	for (; *names; names++)
		if (!xs_read_number(ts->xs, XBT_NULL, INT_MAX, &value, "%s/%s", front, *names))
			return (int)value;
	return -1;
}

void device_info_get(struct toolstack *ts, const struct device *device, struct device_info *info)
{
	static const char *const state[] = {"state", NULL};
	static const char *const port[] = {"event-channel", "event-channel-tx",
					   "queue-0/event-channel", "queue-0/event-channel-tx",
					   NULL};
	static const char *const ring[] = {"ring-ref", "ring-ref0", "queue-0/ring-ref",
					   "queue-0/ring-ref0", NULL};
	static const char *const tx[] = {"tx-ring-ref", "queue-0/tx-ring-ref", NULL};
	static const char *const rx[] = {"rx-ring-ref", "queue-0/rx-ring-ref", NULL};
	char path[XS_PATH_SIZE], *mac;

	*info = (struct device_info){.device = *device};
	device_back(device, info->back);
	device_front(device, path);
	info->state = front_number(ts, path, state);
	info->port = front_number(ts, path, port);
	info->ref[0] = front_number(ts, path, device->type == DEVICE_VIF ? tx : ring);
	info->ref[1] = device->type == DEVICE_VIF ? front_number(ts, path, rx) : -1;
	device_private(device, path);
	mac = device->type == DEVICE_VIF ? xs_read_string(ts->xs, XBT_NULL, "%s/mac", path) : NULL;
	if (mac)
		mac_parse(mac, info->mac);
	free(mac);
}

void info_disk_header(FILE *out)
{
	fprintf(out, "%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n", "Vdev", "BE", "handle", "state",
		"evt-ch", "ring-ref", "BE-path");
}

void info_disk_row(FILE *out, const struct device_info *info)
{
	fprintf(out, "%-5d %-3d %-6d %-5d %-6d %-8d %-30s\n", (int)info->device.id,
		info->device.backend, info->device.domid, info->state, info->port, info->ref[0],
		info->back);
}

void info_vif_header(FILE *out)
{
	fprintf(out, "%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-5s %-30s\n", "Idx", "BE", "Mac Addr.",
		"handle", "state", "evt-ch", "tx-", "rx-ring-ref", "BE-path");
}

void info_vif_row(FILE *out, const struct device_info *info)
{
	char mac[MAC_TEXT_SIZE];

	mac_format(info->mac, mac);
	fprintf(out, "%-3d %-2d %s%6d %5d %6d %5d/%-11d %-30s\n", (int)info->device.id,
		info->device.backend, mac, (int)info->device.id, info->state, info->port,
		info->ref[0], info->ref[1], info->back);
}

static void number_or_null(yajl_gen json, const char *key, int value)
{
	json_key(json, key);
	if (value < 0)
		yajl_gen_null(json);
	else
		yajl_gen_integer(json, value);
}

void info_json(yajl_gen json, const struct device_info *info)
{
	const struct device *d = &info->device;
	char text[MAC_TEXT_SIZE > VDEV_NAME_SIZE ? MAC_TEXT_SIZE : VDEV_NAME_SIZE];

	yajl_gen_map_open(json);
	json_number(json, "domid", d->domid);
	json_number(json, "devid", d->id);
	json_number(json, "backend_domid", d->backend);
	json_string(json, "backend", info->back);
	number_or_null(json, "state", info->state);
	number_or_null(json, "event_channel", info->port);
	if (d->type == DEVICE_VIF) {
		mac_format(info->mac, text);
		json_string(json, "mac", text);
		number_or_null(json, "tx_ring_ref", info->ref[0]);
		number_or_null(json, "rx_ring_ref", info->ref[1]);
	} else {
		vdev_name(d->id, text);
		json_string(json, "vdev", text);
		number_or_null(json, "ring_ref", info->ref[0]);
	}
	yajl_gen_map_close(json);
}
