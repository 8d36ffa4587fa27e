/*
 * handover.h - a suspended guest's disks go to another host, or come back.
 *
 * Our block backend can let go of a disk's image while the guest keeps its rings (its node "away",
 * docs/block.md): then the guest, should it go on here after all, notices nothing. What others
 * serve (QEMU, a driver domain, a hotplug script's device) is closed and made anew, as for a
 * restored guest.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/domain/record.h"
#include "toolstack/toolstack.h"

/** There when the devices were closed. */
#define HANDOVER_CLOSED RECORD_PATH "/closed"

/**
 * handover_begin - let go of all images and write all that they have in this host's memory to
 * them. Return: 0 or a negative errno; in either case handover_undo() brings them back.
 */
int handover_begin(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		   struct fault *fault);

/**
 * handover_undo - take the disks back and let the guest go on. Waits some seconds for an image that
 * the other host, if it is this one, has not let go of yet.
 *
 * Return: 0; or a negative errno: it stays suspended, and this may be tried again. -EIO: a disk
 * cannot be had.
 */
int handover_undo(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		  struct fault *fault);
