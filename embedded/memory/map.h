/*
 * map.h - mapping another domain's frames, as only dom0 may.
 */
#pragma once

#include <stddef.h>

#include "embedded/client.h"

/**
 * map_frames - map frames of a domain one after the other.
 * @address: where, as for mmap(2) with @flags; NULL: anywhere
 * @prot:    PROT_*
 * @frames:  @count frame numbers
 * @errors:  room for @count; set to 0 or the negative errno of each frame, the others are mapped
 *           all the same. NULL: the first error fails the call
 *
 * Return: the mapping, for munmap(2), or NULL with errno set: EPERM (another's, and we are not
 * dom0), ESRCH, EINVAL (no such frame), or what mmap(2) says.
 */
void *map_frames(struct client *client, uint32_t domid, void *address, int prot, int flags,
		 size_t count, const uint64_t *frames, int *errors);
