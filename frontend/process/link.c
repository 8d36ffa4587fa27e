#include "frontend/process/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <stdbool.h>
#include <stdlib.h>

static int nl_errno(int rc)
{
	switch (-rc) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_PERM:
		return -EPERM;
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:
		return -ENODEV;
	case NLE_INVAL:
	case NLE_NOADDR:
	case NLE_RANGE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int socket_open(struct nl_sock **opened)
{
	struct nl_sock *socket = nl_socket_alloc();
	int rc;

	if (!socket)
		return -ENOMEM;
	rc = nl_errno(nl_connect(socket, NETLINK_ROUTE));
	if (rc)
		nl_socket_free(socket);
	else
		*opened = socket;
	return rc;
}

static int mac_set(struct rtnl_link *change, const char *mac)
{
	struct nl_addr *address;
	int rc = nl_errno(nl_addr_parse(mac, AF_LLC, &address));

	if (rc)
		return rc;
	rtnl_link_set_addr(change, address);
	nl_addr_put(address);
	return 0;
}

static int link_change(struct nl_sock *socket, const char *name, const char *mac, uint32_t mtu)
{
	struct rtnl_link *link = NULL, *change = rtnl_link_alloc();
	int rc;

	if (!change)
		return -ENOMEM;
	rc = nl_errno(rtnl_link_get_kernel(socket, 0, name, &link));
	if (!rc && mac)
		rc = mac_set(change, mac);
	if (rc)
		goto out;
	if (mtu)
		rtnl_link_set_mtu(change, mtu);
	rtnl_link_set_flags(change, IFF_UP);
	rc = nl_errno(rtnl_link_change(socket, link, change, 0));
out:
	if (link)
		rtnl_link_put(link);
	rtnl_link_put(change);
	return rc;
}

int link_up(const char *name, const char *mac, uint32_t mtu)
{
	struct nl_sock *socket;
	int rc = socket_open(&socket);

	if (rc)
		return rc;
	rc = link_change(socket, name, mac, mtu);
	nl_socket_free(socket);
	return rc;
}

static int address_add(struct nl_sock *socket, const char *name, struct nl_addr *local)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	int rc;

	if (!address)
		return -ENOMEM;
	rtnl_addr_set_ifindex(address, (int)if_nametoindex(name));
	rc = nl_errno(rtnl_addr_set_local(address, local));
	if (!rc && nl_addr_get_family(local) == AF_INET6)
		rtnl_addr_set_flags(address, IFA_F_NODAD); /* the carrier is not there yet */
	if (!rc)
		rc = nl_errno(rtnl_addr_add(socket, address, 0));
	rtnl_addr_put(address);
	return rc;
}

int link_address(const char *name, const char *address)
{
	struct nl_sock *socket;
	struct nl_addr *local;
	int rc = nl_errno(nl_addr_parse(address, AF_UNSPEC, &local));

	if (rc)
		return rc;
	rc = socket_open(&socket);
	if (!rc) {
		rc = address_add(socket, name, local);
		nl_socket_free(socket);
	}
	nl_addr_put(local);
	return rc;
}

static int route_add(struct nl_sock *socket, struct nl_addr *gateway)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *everything = NULL;
	int rc = -ENOMEM;

	if (!route || !hop)
		goto out;
	rc = nl_errno(nl_addr_parse("default", nl_addr_get_family(gateway), &everything));
	if (rc)
		goto out;
	rtnl_route_nh_set_gateway(hop, gateway);
	rtnl_route_set_dst(route, everything);
	rtnl_route_add_nexthop(route, hop);
	hop = NULL; /* the route's now */
	rc = nl_errno(rtnl_route_add(socket, route, 0));
out:
	if (everything)
		nl_addr_put(everything);
	if (hop)
		rtnl_route_nh_free(hop);
	if (route)
		rtnl_route_put(route);
	return rc;
}

int link_gateway(const char *gateway)
{
	struct nl_sock *socket;
	struct nl_addr *address;
	int rc = nl_errno(nl_addr_parse(gateway, AF_UNSPEC, &address));

	if (rc)
		return rc;
	rc = socket_open(&socket);
	if (!rc) {
		rc = route_add(socket, address);
		nl_socket_free(socket);
	}
	nl_addr_put(address);
	return rc;
}

bool link_address_valid(const char *address)
{
	struct nl_addr *parsed;
	int family;

	if (nl_addr_parse(address, AF_UNSPEC, &parsed))
		return false;
	family = nl_addr_get_family(parsed);
	nl_addr_put(parsed);
	return family == AF_INET || family == AF_INET6;
}
