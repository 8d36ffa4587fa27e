/*
 * image_size.h - the size of an image that is open, looked at and changed.
 */
#pragma once

#include "backend/block/image.h"

/**
 * image_measure - how long it is now.
 * @size: bytes, without a last part of a sector
 *
 * Return: 0, -EOPNOTSUPP (not a file nor a block device of this host), or what the kernel says.
 */
int image_measure(const struct image *image, uint64_t *size);

/**
 * image_truncate - make a file @size bytes long; what is new reads as zeros.
 * @why: @room bytes: on failure what is wrong and the remedy
 *
 * Return: 0, -EOPNOTSUPP (not a file), or what ftruncate(2) says.
 */
int image_truncate(const struct image *image, uint64_t size, char *why, size_t room);

/** image_resized - it has this size from now on, and what depends on it. */
void image_resized(struct image *image, uint64_t size);
