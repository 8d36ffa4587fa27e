/* The TAP behind a vif, and the bridge it is in: see uplink.h. */
#include "backend/net/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What a TAP's queue holds at most by far: 500 packets is the kernel's default. */
#define STALE_MAX 4096

static int fail(struct uplink *uplink, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct uplink *uplink, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(uplink->error, sizeof(uplink->error), format, args);
	va_end(args);
	return rc;
}

/* Add a queue; the first makes the interface. */
static int queue_open(struct uplink *uplink)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE};
	int fd, rc;

	if (uplink->queues == 0)
		request.ifr_flags |= (short)IFF_TUN_EXCL;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail(
			uplink, -errno,
			"/dev/net/tun cannot be opened: %s; load the kernel's TUN driver (modprobe tun)",
			strerror(errno));
	memcpy(request.ifr_name, uplink->name, sizeof(request.ifr_name));
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		rc = -errno;
		close(fd);
		if (rc == -EBUSY)
			return fail(
				uplink, rc,
				"network interface %s exists already; remove it (ip link delete %s) "
				"or set vifname=",
				uplink->name, uplink->name);
		return fail(uplink, rc, "TAP %s cannot be made: %s", uplink->name, strerror(-rc));
	}
	uplink->fd[uplink->queues++] = fd;
	return 0;
}

/* libnl has numbers of its own for errors; those that a caller may ask for. */
static int errno_of(int error)
{
	switch (-error) {
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:
		return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_INVAL:
	case NLE_RANGE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static struct nl_sock *netlink_open(void)
{
	struct nl_sock *socket = nl_socket_alloc();

	if (socket && nl_connect(socket, NETLINK_ROUTE) < 0) {
		nl_socket_free(socket);
		socket = NULL;
	}
	return socket;
}

/* Have the kernel change our interface as @change says. Return: 0 or an error of libnl. */
static int link_change(struct uplink *uplink, struct nl_sock *socket, struct rtnl_link *change)
{
	struct rtnl_link *current = NULL;
	int rc = rtnl_link_get_kernel(socket, 0, uplink->name, &current);

	if (rc == 0)
		rc = rtnl_link_change(socket, current, change, 0);
	rtnl_link_put(current);
	return rc;
}

static int address_set(struct uplink *uplink, unsigned int mtu)
{
	static const uint8_t highest[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct nl_addr *address = nl_addr_build(AF_LLC, highest, sizeof(highest));
	struct rtnl_link *change = rtnl_link_alloc();
	struct nl_sock *socket = netlink_open();
	int rc = -NLE_NOMEM;

	if (socket && change && address) {
		rtnl_link_set_addr(change, address);
		rtnl_link_set_mtu(change, mtu);
		rc = link_change(uplink, socket, change);
	}
	nl_socket_free(socket);
	rtnl_link_put(change);
	nl_addr_put(address);
	if (rc)
		return fail(uplink, errno_of(rc),
			    "%s does not take the address and an MTU of %u: %s", uplink->name, mtu,
			    nl_geterror(rc));
	return 0;
}

/* What the kernel takes as a name (net/core/dev.c); '%' would make it choose a number. */
static bool name_is_good(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && strcspn(name, "/:% \t\n\v\f\r") == length;
}

int uplink_open(struct uplink *uplink, const char *name, unsigned int mtu)
{
	int rc;

	if (!name_is_good(name))
		return fail(
			uplink, -EINVAL,
			"\"%s\" cannot be the name of a network interface; set vifname= to at most "
			"15 characters",
			name);
	memcpy(uplink->name, name, strlen(name) + 1);
	rc = queue_open(uplink);
	if (rc) {
		uplink->name[0] = '\0';
		return rc;
	}
	uplink_stop(uplink);
	rc = address_set(uplink, mtu);
	if (rc)
		uplink_close(uplink);
	return rc;
}

/* A port of a bridge has no addresses of its own, not even IPv6's automatic one. */
static int master_set(struct uplink *uplink, struct nl_sock *socket, struct rtnl_link *change,
		      const char *bridge)
{
	struct rtnl_link *master = NULL;
	int rc = rtnl_link_get_kernel(socket, 0, bridge, &master);

	if (rc == -NLE_OBJ_NOTFOUND || rc == -NLE_NODEV)
		return fail(uplink, -ENODEV,
			    "bridge %s does not exist; create it (ip link add %s type bridge)",
			    bridge, bridge);
	if (rc)
		return fail(uplink, errno_of(rc), "bridge %s: %s", bridge, nl_geterror(rc));
	rtnl_link_set_master(change, rtnl_link_get_ifindex(master));
	rtnl_link_put(master);
	return 0;
}

static int join(struct uplink *uplink, struct nl_sock *socket, struct rtnl_link *change,
		const char *bridge)
{
	int rc = bridge ? master_set(uplink, socket, change, bridge) : 0;

	if (rc)
		return rc;
	rtnl_link_set_flags(change, IFF_UP);
	rc = link_change(uplink, socket, change);
	if (rc && bridge)
		return fail(uplink, errno_of(rc), "%s cannot join %s: %s; is %s a bridge?",
			    uplink->name, bridge, nl_geterror(rc), bridge);
	if (rc)
		return fail(uplink, errno_of(rc), "%s cannot be brought up: %s", uplink->name,
			    nl_geterror(rc));
	return 0;
}

int uplink_join(struct uplink *uplink, const char *bridge)
{
	struct rtnl_link *change = rtnl_link_alloc();
	struct nl_sock *socket = netlink_open();
	int rc;

	if (change && socket)
		rc = join(uplink, socket, change, bridge);
	else
		rc = fail(uplink, -ENOMEM, "no netlink socket to bring %s up with", uplink->name);
	nl_socket_free(socket);
	rtnl_link_put(change);
	return rc;
}

/* Packets that wait since before the offloads were chosen are not for this frontend. */
static void stale_drop(struct uplink *uplink)
{
	struct virtio_net_hdr header; /* with less room for it the kernel says EINVAL */

	for (size_t queue = 0; queue < uplink->queues; queue++)
		for (int i = 0;
		     i < STALE_MAX && read(uplink->fd[queue], &header, sizeof(header)) >= 0; i++)
			;
}

int uplink_start(struct uplink *uplink, size_t queues, unsigned int tun)
{
	int on = 1;

	while (uplink->queues < queues) {
		int rc = queue_open(uplink);

		if (rc)
			return rc;
	}
	if (ioctl(uplink->fd[0], TUNSETOFFLOAD, tun) < 0)
		return fail(uplink, -errno, "%s does not take the offloads 0x%x: %s", uplink->name,
			    tun, strerror(errno));
	if (!uplink->started)
		stale_drop(uplink);
	uplink->started = true;
	if (ioctl(uplink->fd[0], TUNSETCARRIER, &on) < 0)
		return fail(uplink, -errno, "%s does not take a carrier: %s", uplink->name,
			    strerror(errno));
	return 0;
}

void uplink_stop(struct uplink *uplink)
{
	int off = 0;

	if (uplink->queues == 0)
		return;
	ioctl(uplink->fd[0], TUNSETCARRIER, &off);
	uplink->started = false;
	while (uplink->queues > 1)
		close(uplink->fd[--uplink->queues]);
}

void uplink_close(struct uplink *uplink)
{
	uplink_stop(uplink);
	if (uplink->queues > 0)
		close(uplink->fd[--uplink->queues]);
	uplink->name[0] = '\0';
}
