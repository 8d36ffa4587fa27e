/*
 * exec.h - a command beside a guest's program.
 */
#pragma once

#include "embedded/launcher/options.h"

/**
 * exec_run - run the command in the network, process and mount namespace of guest
 * @options->domid of the host that this process is in, with that guest's environment. It is
 * paused, and dies, with the guest.
 *
 * Return: what to exit with: the command's status, 128 + N when signal N ended it, or
 * LAUNCHER_FAILED after saying why.
 */
int exec_run(const struct options *options);
