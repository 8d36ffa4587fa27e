/*
 * host_internal.h - what host.c and host_store.c share.
 */
#pragma once

#include "frontend/process/host.h"

static inline struct host *host_of(struct platform *platform)
{
	return (struct host *)platform;
}

/** See struct platform_ops. */
int host_store_read(struct platform *platform, uint32_t transaction, const char *path, char *value,
		    size_t size);
int host_store_write(struct platform *platform, uint32_t transaction, const char *path,
		     const char *value);
int host_store_remove(struct platform *platform, uint32_t transaction, const char *path);
int host_store_begin(struct platform *platform, uint32_t *transaction);
int host_store_end(struct platform *platform, uint32_t transaction, bool commit);
int host_store_watch(struct platform *platform, const char *path, void (*handler)(void *arg),
		     void *arg, struct platform_watch **made);
void host_store_unwatch(struct platform *platform, struct platform_watch *made);

/** host_watch_run - the watch with this token has fired; one that is gone has not. */
void host_watch_run(struct host *host, const char *token);
