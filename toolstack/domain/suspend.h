/*
 * suspend.h - a guest stops for a while, with all that it is, and goes on: the same or, from its
 * saved memory, another.
 */
#pragma once

#include <stdbool.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/** How long a guest may take to hear the request, and again to stop; as libxl. */
#define SUSPEND_SECONDS 60

/**
 * suspend_guest - ask it to suspend and wait until it has; one without PV drivers is stopped.
 * Return: 0, -ETIMEDOUT (the request is withdrawn), -ETIME (it heard it and may do so yet), -ESRCH
 * (it ended in another way), or a negative errno.
 */
int suspend_guest(struct toolstack *ts, uint16_t domid, enum domain_type type, struct fault *fault);

/**
 * suspend_withdraw - take a request to suspend back that somebody made who is no more; if the guest
 * heard it already, wait until it has suspended.
 */
void suspend_withdraw(struct toolstack *ts, uint16_t domid);

/** suspend_is - is it suspended? */
bool suspend_is(struct toolstack *ts, uint16_t domid);

/**
 * suspend_resume - let a suspended guest go on as if nothing had been, its device model first. One
 * that runs is left alone.
 */
int suspend_resume(struct toolstack *ts, uint16_t domid, struct fault *fault);

/**
 * suspend_resume_anew - the same, but it takes itself for restored: a PV guest connects its devices
 * again, a PVH or HVM one of Linux's crashes on Xen 4.17.
 */
int suspend_resume_anew(struct toolstack *ts, uint16_t domid, struct fault *fault);
