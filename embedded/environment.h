/*
 * environment.h - where a host keeps what, and what a program of a domain must be told to find it.
 *
 *   DIR/domN/host        the socket on which domain N speaks to the host daemon
 *   DIR/domN/xenbus      a guest's way to XenStore
 *   DIR/domN/run         $XSPLIT_RUNDIR of its programs
 *   DIR/dom0/userdata    what libxl keeps of domains in files
 *   DIR/domN/pid         the guest's init, as dom0 sees it
 *   DIR/domN/console     what the guest writes
 *   DIR/xenstored/socket dom0's way to XenStore
 *   DIR/log/NAME         what the daemon NAME writes
 */
#pragma once

#include <limits.h>

/** Where our programs and libraries lie; found from the running program's own place. */
struct places {
	char bin[PATH_MAX]; /* our programs */
	char lib[PATH_MAX]; /* the libraries that stand in for Xen's */
};

/** places_find - fill @places. Return: 0 or a negative errno. */
int places_find(struct places *places);

/**
 * environment_dom0 - change the environment of this process to one of dom0's in @dir.
 * What the user had set stays, but for Xen's variables; PATH and LD_LIBRARY_PATH get ours first.
 *
 * Return: 0 or a negative errno.
 */
int environment_dom0(const struct places *places, const char *dir);

/**
 * environment_guest - change the environment of this process, one of dom0's, to one of a guest:
 * little is left of it but the paths. Return: 0 or a negative errno.
 */
int environment_guest(const char *dir, unsigned int domid);
