/*
 * adopt.h - devices that another toolstack gave a domain of ours, or took from it.
 *
 * They are in the XenStore alone then (libxl keeps its own account). The kept config follows, so
 * that a restart, a save, a migration and what we write for libxl have them too.
 */
#pragma once

#include <stdint.h>

#include "toolstack/toolstack.h"

/**
 * config_adopt - bring a domain's kept config to the disks and network cards that it has.
 * Return: 1 (it followed), 0 (it had them, or the domain is another toolstack's, or nobody can
 * say, for it is being made or removed), or a negative errno of the store.
 */
int config_adopt(struct toolstack *ts, uint16_t domid);
