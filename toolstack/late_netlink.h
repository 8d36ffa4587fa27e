/*
 * late_netlink.h - libnl-route and libnl: see late.h.
 */
#pragma once

#include <netlink/netlink.h>
#include <netlink/route/link.h>

#include "toolstack/late.h"

#define nl_connect           LATE(LATE_NETLINK, nl_connect)
#define nl_socket_alloc      LATE(LATE_NETLINK, nl_socket_alloc)
#define nl_socket_free       LATE(LATE_NETLINK, nl_socket_free)
#define rtnl_link_delete     LATE(LATE_NETLINK, rtnl_link_delete)
#define rtnl_link_get_kernel LATE(LATE_NETLINK, rtnl_link_get_kernel)
#define rtnl_link_get_type   LATE(LATE_NETLINK, rtnl_link_get_type)
#define rtnl_link_put        LATE(LATE_NETLINK, rtnl_link_put)
