/*
 * save.h - a running guest into a stream: a file, or another host.
 *
 * The domain's record says that it is being saved (record.h), so that xsplitd lets it go on when
 * whoever saves it dies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/** What record_busy() says meanwhile. */
#define SAVE_BUSY "save"

/** What becomes of the guest when its file is written. */
enum save_then { SAVE_DESTROY, SAVE_RESUME, SAVE_PAUSE };

/** What is said of a guest to whoever lets it go on; all zero for what it is. */
struct save_as {
	const char *config_file; /* a config in place of its own */
	bool same_domid;         /* it is to get the number that it has */
};

/**
 * save_begin - can the domain be saved now? Then its record says that this process does (record.h).
 * @what:   SAVE_BUSY, MIGRATE_BUSY
 * @config: set on success: what it was made with, its memory as it is now; domain_config_free()
 * Return: 0, -ENOENT (another toolstack's), -ENOTSUP (a process; nomigrate=1), -EBUSY (somebody
 * works on it), -EINVAL (paused, shut down).
 */
int save_begin(struct toolstack *ts, uint16_t domid, const char *what, struct domain_config *config,
	       struct fault *fault);

/**
 * save_head - compose the config that stands before a domain's stream.
 * @config: the domain's own, of save_begin()
 * @text:   set on success, for free(3)
 * Return: 0, -EINVAL (the other config is wrong, or of another guest), -ENOMEM, or why it cannot be
 * read.
 */
int save_head(const struct save_as *as, uint16_t domid, const struct domain_config *config,
	      char **text, struct fault *fault);

/**
 * save_stream - write a domain that save_begin() passed to a descriptor, behind saved_head_write();
 * it is suspended then. On failure, or when a signal came, it goes on as before.
 * @live:    it runs while its memory is copied
 * @stopped: set on success: when it was asked to suspend, ms of CLOCK_MONOTONIC; may be NULL
 */
int save_stream(struct toolstack *ts, uint16_t domid, const struct domain_config *config, int fd,
		bool live, int64_t *stopped, struct fault *fault);

/**
 * save_file - save a domain to a file. The file is there when all of it is on the disk, and not
 * before; on failure there is none, and the guest goes on.
 */
int save_file(struct toolstack *ts, uint16_t domid, const char *path, const struct save_as *as,
	      enum save_then then, struct fault *fault);

/** save_late - has the domain suspended itself for somebody who gave it up meanwhile? */
bool save_late(struct toolstack *ts, uint16_t domid);

/** save_recover - whoever saved the domain died, or gave it up: let it go on. Return: 0 or a
 * negative errno. */
int save_recover(struct toolstack *ts, uint16_t domid, struct fault *fault);
