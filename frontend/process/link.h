/*
 * link.h - set up a network device by rtnetlink (libnl-route-3).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * link_up - set a device's hardware address and MTU and switch it on.
 * @mac: as "00:16:3e:...", or NULL to leave it
 * @mtu: bytes, or 0 to leave it
 *
 * Return: 0, -EINVAL (@mac is none), -ENODEV, or what the kernel says.
 */
int link_up(const char *name, const char *mac, uint32_t mtu);

/**
 * link_address - add an address, such as "192.0.2.2/24" or "2001:db8::2/64".
 * Return: 0, -EINVAL (no address), -ENODEV, or what the kernel says.
 */
int link_address(const char *name, const char *address);

/** link_gateway - make @gateway, an address, the default route. Return: as link_address. */
int link_gateway(const char *gateway);

/** link_address_valid - is it an address with an optional prefix length? */
bool link_address_valid(const char *address);
