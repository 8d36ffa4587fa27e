/*
 * tap.h - an Ethernet interface of dom0 whose other end is a descriptor: an emulated card's.
 *
 * It lives as long as the descriptor. linux/if_tun.h.
 */
#pragma once

#include <stdint.h>

/**
 * tap_make - create the interface @name, put it into a bridge and switch it on.
 * @mtu: 0 leaves it as it is
 * Return: the descriptor, or a negative errno: -EBUSY (the name is taken), -ENODEV (no such
 * bridge), -EOPNOTSUPP (it is no bridge of Linux' own), ...
 */
int tap_make(const char *name, const char *bridge, uint32_t mtu);
