/*
 * adopt.h - devices that another toolstack gave a domain of ours, or took from it.
 *
 * They are in the XenStore alone then (libxl keeps its own account). The index and the kept config
 * follow, so that nobody else gets the image, and that a restart, a save, a migration and what we
 * write for libxl have them. What differs between the kept config and the devices for another
 * reason, as after config-update, stays: the index tells what changed.
 */
#pragma once

#include <stdint.h>

#include "toolstack/toolstack.h"

/**
 * domain_adopt - bring a domain's index and kept config to what became of its disks and network
 * cards.
 * Return: 1 (they followed), 0 (there was nothing, or the domain is another toolstack's, or it is
 * ending), or a negative errno of the store.
 */
int domain_adopt(struct toolstack *ts, uint16_t domid);
