#include "toolstack/domain/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/late_netlink.h"

static int link_get(const char *name, struct rtnl_link **link)
{
	struct nl_sock *socket = nl_socket_alloc();
	int err;

	if (!socket)
		return -ENOMEM;
	err = nl_connect(socket, NETLINK_ROUTE);
	if (!err)
		err = rtnl_link_get_kernel(socket, 0, name, link);
	nl_socket_free(socket);
	switch (err) {
	case 0:
		return 0;
	case -NLE_NODEV:
	case -NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case -NLE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

int link_exists(const char *name)
{
	struct rtnl_link *link;
	int rc = link_get(name, &link);

	if (!rc)
		rtnl_link_put(link);
	return rc;
}

int link_is_bridge(const char *name)
{
	struct rtnl_link *link;
	const char *type;
	int rc = link_get(name, &link);

	if (rc)
		return rc;
	type = rtnl_link_get_type(link);
	if (!type || (strcmp(type, "bridge") != 0 && strcmp(type, "openvswitch") != 0))
		rc = -EINVAL;
	rtnl_link_put(link);
	return rc;
}

int link_remove(const char *name)
{
	struct nl_sock *socket;
	struct rtnl_link *link;
	int err, rc = link_get(name, &link);

	if (rc)
		return rc;
	socket = nl_socket_alloc();
	err = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;
	if (!err)
		err = rtnl_link_delete(socket, link);
	nl_socket_free(socket);
	rtnl_link_put(link);
	return err == -NLE_PERM ? -EPERM : err == -NLE_NODEV ? -ENODEV : err ? -EIO : 0;
}
