#include "frontend/process/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int tap_configure(int fd, const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL};
	int little_endian = 1;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) || ioctl(fd, TUNSETVNETLE, &little_endian))
		return -errno;
	return 0;
}

int tap_open(const char *name)
{
	int fd, rc;

	if (if_nametoindex(name))
		return -EEXIST;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = tap_configure(fd, name);
	if (rc) {
		close(fd);
		return rc;
	}
	tap_carrier(fd, false);
	return fd;
}

int tap_offer(int fd, const struct netfeatures *features)
{
	unsigned long offload = 0;

	if (features->checksum_v4 || features->checksum_v6)
		offload |= TUN_F_CSUM;
	if (features->gso_v4)
		offload |= TUN_F_TSO4;
	if (features->gso_v6)
		offload |= TUN_F_TSO6;
	return ioctl(fd, TUNSETOFFLOAD, offload) ? -errno : 0;
}

void tap_carrier(int fd, bool on)
{
	int carrier = on;

	(void)ioctl(fd, TUNSETCARRIER, &carrier);
}
