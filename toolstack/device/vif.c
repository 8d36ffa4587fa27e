#include "toolstack/device/vif.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/hotplug.h"

struct device vif_device(uint16_t domid, const struct vif_config *vif)
{
	return (struct device){
		.type = DEVICE_VIF,
		.domid = domid,
		.backend = BACKEND_DOMID,
		.id = (uint32_t)vif->devid,
	};
}

void vif_nodes(struct nodes *nodes, uint16_t domid, const struct vif_config *vif)
{
	struct device device = vif_device(domid, vif);
	char handle[16], mac[MAC_TEXT_SIZE], mtu[16], rate[48];
	const struct device_node front[] = {
		{"state", "1"},
		{"handle", handle},
		{"mac", mac},
		{"trusted", vif->trusted ? "1" : "0"},
		{"mtu", vif->mtu ? mtu : NULL},
		{0},
	};
	const struct device_node back[] = {
		{"online", "1"},
		{"state", "1"},
		{"mac", mac},
		{"script", vif->script ? vif->script : HOTPLUG_NONE},
		{"ip", vif->ip},
		{"vifname", vif->name},
		{"mtu", vif->mtu ? mtu : NULL},
		{"rate", vif->rate_bytes ? rate : NULL},
		{"bridge", vif->bridge},
		{"handle", handle},
		{"type", "vif"},
		{"hotplug-status", ""},
		{0},
	};

	snprintf(handle, sizeof(handle), "%d", vif->devid);
	snprintf(mtu, sizeof(mtu), "%" PRIu32, vif->mtu);
	snprintf(rate, sizeof(rate), "%" PRIu64 ",%" PRIu32, vif->rate_bytes, vif->rate_usecs);
	mac_format(vif->mac, mac);
	device_nodes(nodes, &device, front, back);
}
