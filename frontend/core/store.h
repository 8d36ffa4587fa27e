/*
 * store.h - numbers and words in the XenStore nodes of one device.
 *
 * The backend wrote what we read: whatever is not a number within bounds counts as absent.
 */
#pragma once

#include "frontend/core/platform.h"

/** The longest path, with its NUL: the store's own limit is 3072, ours are short. */
#define STORE_PATH_SIZE 256

/**
 * store_read_number - DIRECTORY/NAME as a number of at most @max.
 * Return: 0, -ENOENT, -EINVAL or -ERANGE (not such a number), -ENAMETOOLONG, -EIO.
 */
int store_read_number(struct platform *platform, const char *directory, const char *name,
		      uint64_t max, uint64_t *value);

/** store_number_or - the same, or @otherwise when there is none that is valid. */
uint64_t store_number_or(struct platform *platform, const char *directory, const char *name,
			 uint64_t max, uint64_t otherwise);

/** store_flag - is DIRECTORY/NAME a number other than 0? */
bool store_flag(struct platform *platform, const char *directory, const char *name);

/** store_write_number, store_write_text - write DIRECTORY/NAME. Return: 0 or a negative errno. */
int store_write_number(struct platform *platform, uint32_t transaction, const char *directory,
		       const char *name, uint64_t value);
int store_write_text(struct platform *platform, uint32_t transaction, const char *directory,
		     const char *name, const char *value);

/**
 * store_transact - run @body in a transaction, again up to 64 times when somebody else wrote
 * meanwhile. Return: 0, what @body returned, -EAGAIN, or what the store says.
 */
int store_transact(struct platform *platform, int (*body)(uint32_t transaction, void *arg),
		   void *arg);
