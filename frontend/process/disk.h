/*
 * disk.h - a blkfront for many threads: each call blocks until it is done.
 *
 * A thread of its own runs the events. Callers copy data in and out of shared pages without the
 * lock, cut what is larger than a request into pieces, and have several under way at once.
 * A disk whose backend went away makes callers wait until it is back, or gone for good.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "frontend/core/blkfront.h"

struct disk;

/**
 * disk_open - begin to connect.
 * @path:  the device's directory, such as "device/vbd/51712"
 * @ended: called once from the disk's thread when the device has ended
 *
 * Return: 0 or a negative errno after a message.
 */
int disk_open(const char *path, void (*ended)(void *arg), void *arg, struct disk **disk);

/** disk_close - lead the device to Closed, waiting for the backend up to 5 s, and free all. */
void disk_close(struct disk *disk);

/**
 * disk_wait - wait until it is connected.
 * Return: 0 and its properties, -ETIMEDOUT after @seconds, or -ENODEV.
 */
int disk_wait(struct disk *disk, unsigned seconds, struct blkinfo *info);

/**
 * disk_transfer - read, write, flush or discard, and wait until it is done.
 * @buffer: @length bytes; unused by a flush or discard
 *
 * Return: 0, -EIO, or as blkfront_begin but for -EAGAIN.
 */
int disk_transfer(struct disk *disk, enum blk_operation operation, void *buffer, uint64_t offset,
		  uint64_t length);
