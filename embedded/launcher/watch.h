/*
 * watch.h - the processes outside of a host that see to its end.
 *
 *   xsplit-embedded   what the user started: waits, hears the signals, gives the exit status
 *   - the watchdog    in a session of its own, owns the namespaces
 *     - dom0's init   process 1 inside (dom0.h); the command and the daemons are its children
 *
 * Each lives no longer than the one above: process 1 takes every process of the host with it, and
 * who is left of the first two removes the directory. So any of them may be killed.
 */
#pragma once

#include "embedded/launcher/options.h"

/**
 * watch_run - make a host, run the command in it, remove the host.
 * Return: what to exit with: the command's status, 128 + N when signal N ended it, or
 * LAUNCHER_FAILED after saying why. Ends by the signal itself if one told us to stop.
 */
int watch_run(const struct options *options);
