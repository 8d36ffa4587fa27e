#include "pvh-timer/unplug.h"

#define PORT_MAGIC   0x10u /* read: magic; 2 bytes written: devices; 4 bytes: build */
#define PORT_PRODUCT 0x12u /* 1 byte read: version, written: log; 2 bytes: product */
#define MAGIC        0x49d2u

static bool magic_read(struct pvh_host *host)
{
	return (host->ops->port_in(host, PORT_MAGIC, 2) & 0xffff) == MAGIC;
}

int unplug_devices(struct pvh_host *host, uint16_t product, uint32_t build, uint16_t devices,
		   struct unplug *unplug)
{
	unplug->devices = 0;
	unplug->version = 0;
	if (!magic_read(host))
		return -ENODEV;
	unplug->version = (uint8_t)host->ops->port_in(host, PORT_PRODUCT, 1);
	if (unplug->version > 1)
		return -EPROTONOSUPPORT;
	if (unplug->version == 1) {
		host->ops->port_out(host, PORT_PRODUCT, 2, product);
		host->ops->port_out(host, PORT_MAGIC, 4, build);
		/* Who is on the blacklist reads another number from now on. */
		if (!magic_read(host))
			return -EPERM;
	}
	/* Both bits would be contradictory: the larger one is meant. */
	if (devices & UNPLUG_DISKS)
		devices &= (uint16_t)~UNPLUG_AUX_DISKS;
	host->ops->port_out(host, PORT_MAGIC, 2, devices);
	unplug->devices = devices;
	return 0;
}

void unplug_log(struct pvh_host *host, const char *line)
{
	for (; *line; line++)
		host->ops->port_out(host, PORT_PRODUCT, 1, (uint8_t)*line);
	host->ops->port_out(host, PORT_PRODUCT, 1, '\n');
}
