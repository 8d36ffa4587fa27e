/*
 * image.h - the file or block device behind a disk, opened by the supervisor for its worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	int fd;             /* -1 for the null engine */
	uint64_t size;      /* bytes, a multiple of 512 */
	bool direct;        /* O_DIRECT, good for the alignment */
	uint32_t alignment; /* bytes that offset, length and memory of I/O are a multiple of */
	bool read_only;
	bool can_discard, can_erase;
	uint32_t discard_granularity, discard_alignment;
	uint32_t physical_sector; /* bytes; size is a multiple of it */
};

/**
 * image_open - open what "params" names.
 * @path:      a raw image or a block device; "null:BYTES" is no storage at all, for measurements
 * @read_only: open it so; no lock is taken
 * @image:     filled on success, freed with image_close
 * @why:       @size bytes: on failure what is wrong and the remedy, in words
 *
 * A writable image is locked (flock(2) for a file, O_EXCL for a block device), so nobody else who
 * asks for the lock has it writable, and by image_share's lock nobody has it below another image;
 * over NFS and SMB by that lock alone. On a file system without locks it is had all the same, with
 * a word in the log (image_lock.h). The locks go when all duplicates of the descriptor are closed.
 * O_DIRECT is used with the smallest alignment that it takes, 512 bytes or the storage's
 * sector; where there is none, the page cache.
 *
 * Return: 0, -EBUSY (locked by another), -EIO and others (locking failed), -ENOMEDIUM (smaller than
 * a sector), -EINVAL (neither file nor block device), or what open(2) says.
 */
int image_open(struct image *image, const char *path, bool read_only, char *why, size_t size);

/**
 * image_lease - a descriptor for one worker, of an open file description of its own.
 * @name:  the image's, for words
 * @lease: closed by the caller, who keeps no copy longer than the worker may live
 *
 * Writes that a worker had under way when it was killed may land after it is gone: io_uring's
 * direct I/O is finished by the kernel later. They hold on to their description, and that to a lock
 * (fcntl(2), F_OFD_SETLK, on a byte far beyond every image). So there is no second lease of a
 * writable image before the last write of the first one is on the disk or failed; where
 * there are no locks this is not waited for, and the log says so.
 *
 * Return: 0, -EAGAIN (not yet: ask again), how locking failed, or what open(2) says.
 */
int image_lease(const struct image *image, const char *name, int *lease);

/**
 * image_claim - only open and lock it as image_open does, for somebody else to serve it.
 * Return: a descriptor that holds the lock, or as image_open.
 */
int image_claim(const char *path, bool read_only, char *why, size_t size);

/**
 * image_share - have a file for reading that nobody may write meanwhile: one that an image lies on.
 *
 * Others may share it too. Not seen are programs that write it without asking anybody; QEMU's are.
 *
 * Return: a descriptor that holds the lock, not close-on-exec; -EBUSY: somebody writes it; how
 * locking failed; or what open(2) says.
 */
int image_share(const char *path);

/** image_close - idempotent. */
void image_close(struct image *image);
