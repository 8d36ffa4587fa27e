/*
 * sandbox.h - what a device model may not do, set up in its process before its exec.
 *
 * QEMU itself does the rest when all that it needs is open: Xen calls for its own domain alone, the
 * empty root, its own user. Debian's QEMU for Xen has no filter of its own (-sandbox), so it gets
 * ours: no new processes, nothing that changes the system, nothing that looks into others.
 */
#pragma once

/** sandbox_enter - Return: 0 or a negative errno. */
int sandbox_enter(void);
