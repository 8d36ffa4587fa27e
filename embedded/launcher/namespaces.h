/*
 * namespaces.h - the walls between a host and the rest of the machine.
 */
#pragma once

/**
 * namespaces_enter - put this process, and its next child as process 1, into namespaces of their
 * own: network, mounts, IPC, host name, processes; users too, as root there, when we are not root.
 *
 * Return: 0, or a negative errno after saying what the machine refuses and what helps.
 */
int namespaces_enter(void);

/**
 * namespaces_furnish - the first process inside makes /proc, /sys and the loopback device those
 * of the namespaces. What is refused is said, and done without.
 */
void namespaces_furnish(const char *hostname);

/** machine_look - say what this machine lacks that guests would use. */
void machine_look(void);
