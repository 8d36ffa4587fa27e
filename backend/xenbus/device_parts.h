/*
 * device_parts.h - what the files of a device share (device.c, device_rings.c, device_nodes.c,
 * device_report.c).
 *
 * None of it is for classes or the supervisor: theirs is device.h.
 */
#pragma once

#include "backend/xenbus/device.h"

/** Looks, 10 ms apart, before what hinders the recovery of a device is taken for lasting. */
#define DEVICE_TRIES_MAX 500

/**
 * Write @state, with the class's nodes in the same transaction if @publish.
 *
 * Return: 0, or a negative errno: -ENOENT when the toolstack has removed the directory, which @dev
 * then knows; else it was logged and the machine goes on as if written.
 */
int device_state_write(struct device *dev, enum xenbus_state state, bool publish);

/** Write dev->error to the store, and log it unless too much was said lately; @hotplug as for
 * error_write(). */
void device_error(struct device *dev, bool hotplug);

/** May @limit's owner log one more line now? */
bool device_log_now(struct log_limit *limit);

/** Carry out what the machine wants done, until it waits for somebody. */
void device_run(struct device *dev);

/** Forget the rings of the last connection and remove their log. */
void device_let_go(struct device *dev);

/** device_let_go(), report dev->error and fail the machine. */
void device_connect_failed(struct device *dev);

/** Is what hinders the recovery to be looked at again? Sets dev->waiting; false after a bounded
 * number of tries, and when nothing is being recovered. */
bool device_wait_more(struct device *dev);

/**
 * Have the class probe and open what the device needs, as far as that has not been done.
 *
 * Return: 0, or a negative errno: dev->waiting says whether to come again, else the machine knows.
 */
int device_prepare(struct device *dev);

/** Ask the worker to connect the rings; dev->waiting when that has to wait. */
void device_connect(struct device *dev);

/** Ask the worker to let the rings go; dev->waiting when another still has them. */
void device_disconnect(struct device *dev);
