/*
 * sandbox.h - what a worker gives up before it looks at the first byte of a guest.
 */
#pragma once

#include <sys/types.h>

/**
 * sandbox_user - whom to become.
 * @user: a user's name, or a number; NULL for nobody
 *
 * Return: 0, or -ENOENT after it was logged.
 */
int sandbox_user(const char *user, uid_t *uid, gid_t *gid);

/** sandbox_limits - no core dump of a guest's data, few descriptors; and, where we may, memory
 * locked for I/O. Needs no privilege. */
void sandbox_limits(void);

/**
 * sandbox_network - a network with nobody in it, to be given to any number of sandboxes: making and
 * unmaking one takes the kernel some milliseconds. The caller stays in its own.
 *
 * Return: its descriptor, close-on-exec, the caller's; or a negative errno (-EPERM: not root).
 */
int sandbox_network(void);

/**
 * sandbox_enter - an empty root directory and network, an unprivileged user, no new privileges, and
 * the system calls of a worker alone. All descriptors and handles that it needs must be open.
 * @user:    a user's name, or a number; NULL for nobody
 * @network: sandbox_network()'s; negative for one of its own
 *
 * Without root there is no user, root directory or network to change; that is said in the log once
 * and the rest done. A denied system call returns EPERM and is logged (see sandbox_denied).
 *
 * Return: 0, or a negative errno after it was logged: then the worker must not go on.
 */
int sandbox_enter(const char *user, int network);
