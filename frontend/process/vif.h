/*
 * vif.h - a netfront whose packets go to and come from a TAP device ethN.
 */
#pragma once

#include "frontend/process/host.h"
#include "frontend/process/options.h"

struct vif;

/**
 * vif_open - make ethN and begin to connect.
 * @number: N, the device's number: device/vif/N
 * @ended:  called when the device has ended; vif_close must follow, but not from there
 *
 * Return: 0 or a negative errno after a message.
 */
int vif_open(struct host *host, unsigned number, const struct options *options,
	     void (*ended)(void *arg), void *arg, struct vif **vif);

/** vif_leave - end in order; ended() tells. */
void vif_leave(struct vif *vif);

/** vif_close - end at once and free all. */
void vif_close(struct vif *vif);
