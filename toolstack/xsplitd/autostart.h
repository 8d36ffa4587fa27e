/*
 * autostart.h - the guests that are to run when the host does: the configs of /etc/xsplit/auto.
 *
 * Once after a boot, which is as long as the XenStore lasts; a guest that somebody destroys later
 * stays away. What has been seen to is in the store, so that a killed xsplitd goes on where it was.
 */
#pragma once

#include "toolstack/xsplitd/reap.h"

/** Where the configs are, unless xsplitd is told otherwise. */
#define AUTOSTART_DIR "/etc/xsplit/auto"

/** autostart_needed - as reap_needed(). @dir: NULL or not there: nothing is */
enum reap_need autostart_needed(struct toolstack *ts, const char *dir, pid_t *worker);

/**
 * autostart_run - create them in the order of their files' names; one whose name a domain has
 * already is left alone, one that cannot be created does not keep the next from it.
 *
 * Return: 0, or a negative errno when it has to be tried again; what failed is logged.
 */
int autostart_run(struct toolstack *ts, const char *dir);
