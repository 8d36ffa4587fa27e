#include "toolstack/device/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The highest address, so that the bridge does not take it for its own. */
static const unsigned char address[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff};

static int device_open(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return -errno;
	memcpy(request.ifr_name, name, strlen(name) + 1);
	if (!ioctl(fd, TUNSETIFF, &request))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static int join(int control, const char *name, const char *bridge)
{
	struct ifreq request = {0};

	request.ifr_ifindex = (int)if_nametoindex(name);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bridge);
	return ioctl(control, SIOCBRADDIF, &request) ? -errno : 0;
}

static int switch_on(int control, const char *name, uint32_t mtu)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, address, sizeof(address));
	if (ioctl(control, SIOCSIFHWADDR, &request))
		return -errno;
	request.ifr_mtu = (int)mtu;
	if (mtu && ioctl(control, SIOCSIFMTU, &request))
		return -errno;
	if (ioctl(control, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(control, SIOCSIFFLAGS, &request) ? -errno : 0;
}

/* The host itself shall not speak on it. */
static void ipv6_off(const char *name)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	file = fopen(path, "we");
	if (!file)
		return;
	fputs("1\n", file);
	fclose(file);
}

int tap_make(const char *name, const char *bridge, uint32_t mtu)
{
	int control, fd, rc;

	if (strlen(name) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control < 0)
		return -errno;
	fd = device_open(name);
	rc = fd < 0 ? fd : 0;
	if (!rc) {
		ipv6_off(name);
		rc = join(control, name, bridge);
	}
	if (!rc)
		rc = switch_on(control, name, mtu);
	close(control);
	if (rc && fd >= 0)
		close(fd);
	return rc ? rc : fd;
}
