/*
 * journal.h - a device's file in which its worker notes what it has begun, and which outlives it.
 *
 * RUNDIR/inflight/CLASS-DOMID-DEVID, made by the supervisor and mapped by the worker; each class
 * knows what is in it. It is there from the first connect request until the rings are let go, so
 * a supervisor that finds one takes the rings up where they were. A lock (flock(2)) that supervisor
 * and worker share lasts as long as one of them lives: so a supervisor after them can tell.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct journal {
	int fd; /* -1: there is none */
	char path[PATH_MAX];
};

/** journal_init - none, of this device. */
void journal_init(struct journal *journal, const char *class, uint16_t domid, uint32_t devid);

/** journal_create - make it anew, @size zero bytes with room on the file system, and lock it.
 * Return: 0 or a negative errno. */
int journal_create(struct journal *journal, size_t size);

/** journal_find - open the one that a supervisor before us left. Return: 0, -ENOENT, or a negative
 * errno. */
int journal_find(struct journal *journal);

/** journal_lock - lock one that was found; idempotent. Return: 0, or -EAGAIN: a worker still has
 * it.
 */
int journal_lock(struct journal *journal);

/** journal_size - its bytes now, which a worker may have changed. */
off_t journal_size(const struct journal *journal);

/** journal_read - copy @size bytes from @offset. Return: 0 or -EIO. */
int journal_read(const struct journal *journal, off_t offset, void *buffer, size_t size);

/** journal_close - leave it to who comes after us; idempotent. */
void journal_close(struct journal *journal);

/** journal_remove - the rings are let go: remove it; idempotent. */
void journal_remove(struct journal *journal);

/** journal_sweep - remove those that @keep says no to: their devices are gone. */
void journal_sweep(bool (*keep)(void *arg, const char *class, uint16_t domid, uint32_t devid),
		   void *arg);
