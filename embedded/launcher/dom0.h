/*
 * dom0.h - process 1 of a host.
 */
#pragma once

#include <signal.h>

#include "embedded/launcher/options.h"

/**
 * dom0_run - furnish the namespaces, start the daemons, run the command, and stop the daemons
 * when it ends. Every process of the host ends when the caller exits.
 *
 * A daemon that dies meanwhile is reported and started again, a few times: xsplit-backend and
 * xsplitd alone; with xsplit-xenstored the store is lost, so the guests are destroyed and all
 * begin anew. Without the host daemon there is no host: the command is killed.
 *
 * @signals:   a signalfd that has at least SIGCHLD
 * @inherited: the signal mask of the command
 *
 * Return: the command's status, 128 + N when signal N ended it, or LAUNCHER_FAILED.
 */
int dom0_run(const struct options *options, const char *dir, int signals,
	     const sigset_t *inherited);
