/*
 * vbd_storage.h - what is behind a disk: an image, something that comes over NBD, or nothing.
 */
#pragma once

#include "backend/block/backing.h"
#include "backend/block/image.h"
#include "backend/block/source.h"
#include "backend/block/vbd.h"

struct vbd_storage {
	struct device *dev;
	unsigned number;         /* among the device's, for names of its own */
	struct image image;      /* fd is -1 and size 0 until it is open */
	char *params;            /* which it is; NULL until it is open */
	struct backing *backing; /* of one that comes over NBD, or NULL */
	unsigned busy;           /* so often somebody else had it */
	int claim;               /* holds the lock of its image, or -1 */
};

/** The params of storage that is away: no path, and not what a toolstack may write. */
#define VBD_STORAGE_AWAY "away:"

/** vbd_storage_is_away - is it closed for a while, and requests are to be held? */
bool vbd_storage_is_away(const struct vbd_storage *storage);

/** vbd_storage_new - nothing yet. Return: for vbd_storage_free, or NULL without memory. */
struct vbd_storage *vbd_storage_new(struct device *dev);

/**
 * vbd_storage_open - what @params names; "" is nothing, of a CD-ROM drive only; VBD_STORAGE_AWAY
 * has the size that the guest was told, and nothing of it is served.
 *
 * Return: as open of struct device_class; after -EINPROGRESS call it again with the same.
 */
int vbd_storage_open(struct vbd_storage *storage, const char *params);

/** vbd_storage_free - close it; NULL is allowed. */
void vbd_storage_free(struct vbd_storage *storage);

/** vbd_remote_open - the part of vbd_storage_open for what comes over NBD. */
int vbd_remote_open(struct vbd_storage *storage, const char *params, const struct source *source);

/** vbd_remote_describe - for the worker; nothing if it does not come over NBD. */
void vbd_remote_describe(const struct vbd_storage *storage, struct vbd_remote *remote);

/** vbd_remote_unwant - the worker has let go, or died. */
void vbd_remote_unwant(struct vbd_storage *storage);

/** vbd_remote_close - idempotent. */
void vbd_remote_close(struct vbd_storage *storage);
