/*
 * exporter.h - the process that becomes the qemu-nbd of one disk.
 *
 * It finds the files that the image is made of (its backing files, by qemu-img, itself confined to
 * the files found so far), gives up everything that qemu-nbd has no use for (worker/confine.h), and
 * executes qemu-nbd on the listening socket that it was given: systemd's socket activation.
 */
#pragma once

#include <stdbool.h>

/** How many files an image may be made of. */
#define EXPORTER_FILES_MAX 32u

/**
 * exporter_main - be that process; standard error is the supervisor's to read.
 * @socket: a listening Unix socket; the next descriptor is one of a pair, into which the files are
 *          put that the image lies on, locked: they are so as long as somebody has the other
 * @params: see source.h
 * @user, @sandboxed: as for worker_main
 *
 * Return: only if qemu-nbd cannot be executed: the process's exit status; why was logged.
 */
int exporter_main(int socket, const char *params, bool read_only, const char *user, bool sandboxed);
