#include "toolstack/command/network.h"

#include <string.h>

#include "lib/number.h"

static bool is_vif(enum device_type type)
{
	return type == DEVICE_VIF;
}

static bool means(const char *word, const struct device_info *info)
{
	uint8_t mac[MAC_SIZE];
	uint32_t devid;

	if (!mac_parse(word, mac))
		return !memcmp(mac, info->mac, MAC_SIZE);
	return !number_parse_u32(word, &devid) && devid == info->device.id;
}

const struct device_class network_class = {"vif", is_vif, info_vif_header, info_vif_row, means};
