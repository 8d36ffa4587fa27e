/*
 * store.h - numbers and words in the XenStore nodes of one device.
 *
 * The backend wrote what we read: whatever is not a number within bounds counts as absent. A store
 * that does not answer says nothing about the backend.
 */
#pragma once

#include "frontend/core/platform.h"

/** The longest path, with its NUL: the store's own limit is 3072, ours are short. */
#define STORE_PATH_SIZE 256

/**
 * store_read_number - DIRECTORY/NAME as a number of at most @max.
 * Return: 0, -ENOENT, -EINVAL or -ERANGE (not such a number), -ENAMETOOLONG, or -EIO (the store
 * failed, whatever it said).
 */
int store_read_number(struct platform *platform, const char *directory, const char *name,
		      uint64_t max, uint64_t *value);

/** Nodes of which any may be missing, to be read one after the other and judged at the end. */
struct store_nodes {
	struct platform *platform;
	const char *directory;
	int rc; /* -EIO as soon as the store failed once: then what was read means nothing */
};

/** store_number_or - @name as a number of at most @max, or @otherwise when it is none. */
uint64_t store_number_or(struct store_nodes *nodes, const char *name, uint64_t max,
			 uint64_t otherwise);

/** store_flag - is @name a number other than 0? */
bool store_flag(struct store_nodes *nodes, const char *name);

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
