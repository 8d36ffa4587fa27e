/*
 * link.h - network interfaces of dom0, asked by netlink.
 */
#pragma once

/**
 * link_is_bridge - is there a bridge of this name, Linux' own or Open vSwitch's?
 * Return: 0, -ENODEV (no such interface), -EINVAL (it is no bridge), or what netlink says.
 */
int link_is_bridge(const char *name);

/** link_exists - is there an interface of this name? Return: 0, -ENODEV, or as above. */
int link_exists(const char *name);

/** link_remove - remove an interface. Return: 0, -ENODEV, -EPERM, or as above. */
int link_remove(const char *name);
