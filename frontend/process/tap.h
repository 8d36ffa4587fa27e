/*
 * tap.h - a TAP device as the guest's network card. Linux's tuntap.rst.
 */
#pragma once

#include <stdbool.h>

#include "frontend/core/netpacket.h"

/**
 * tap_open - make the network device @name, with struct virtio_net_hdr before each packet and no
 * carrier. It goes when the descriptor is closed.
 *
 * Return: a non-blocking descriptor, or -EEXIST (there is a device of that name here), -ENOENT
 * (no /dev/net/tun), -EPERM, or what the kernel says.
 */
int tap_open(const char *name);

/** tap_offer - what the kernel may leave to us, after what the backend does. */
int tap_offer(int fd, const struct netfeatures *features);

/** tap_carrier - switch the carrier. Kernels before 5.0 cannot; then it is always on. */
void tap_carrier(int fd, bool on);
