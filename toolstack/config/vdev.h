/*
 * vdev.h - a virtual disk's name and its number, as xen-vbd-interface(7) has them.
 *
 * Pure. Names: xvda2, sda2, hda2, d0p2, or the number itself.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** The longest name with its NUL: "xvdzzzzz255". */
#define VDEV_NAME_SIZE 16

/**
 * vdev_number - the number of a name.
 * Return: 0, -EINVAL (no name of a disk), or -ERANGE (the disk or the partition is beyond what
 * its kind has: 4 hd, 16 sd, 2^20 xvd disks; 63, 15, 255 partitions).
 */
int vdev_number(const char *name, uint32_t *number);

/** vdev_name - the name of a number: the number's own kind, or the number in words of digits. */
void vdev_name(uint32_t number, char name[VDEV_NAME_SIZE]);
