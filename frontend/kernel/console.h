/*
 * console.h - where lines go: Xen's console ring, a serial port, the device model's debug port, and
 * Xen's own console when we are dom0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** console_start_early - what needs no Xen: the serial port if one answers. */
void console_start_early(void);

/** console_start - Xen's console ring, if the toolstack made one; else Xen's own. Where there is a
 * ring the serial port is quiet from now on, unless "serial" is a word of the command line. */
void console_start(void);

/** console_upgrade - its port is an event channel of pvh-timer's from now on, which a reset keeps.
 * Return: 0, -ENODEV (no ring), or what Xen says. */
int console_upgrade(void);

/** console_resume - the ring is another page after a restore. */
void console_resume(void);

/** console_write - @size bytes; "\n" alone ends a line. */
void console_write(const char *text, size_t size);
