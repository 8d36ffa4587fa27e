/*
 * daemon.h - watch all domains and start what each needs.
 *
 * The daemon itself only looks: for each domain that needs something it runs xsplitd --domain N, so
 * that one slow backend holds up nobody else. All that it knows is in the XenStore and in Xen; it
 * can be killed and started again at any time.
 */
#pragma once

/**
 * daemon_serve - until SIGTERM or SIGINT.
 * @ready_fd: told when it watches (ready_announce), or -1
 * @auto_dir: see autostart.h; outlives the call
 * Return: 0, or a negative errno, which is logged.
 */
int daemon_serve(int ready_fd, const char *auto_dir);
