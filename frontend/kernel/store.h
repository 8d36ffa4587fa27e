/*
 * store.h - a XenStore client over the domain's ring. Follows xen/io/xs_wire.h.
 *
 * Calls wait for their answer; one at a time, from threads, not from handlers of events. Watches
 * that fire meanwhile wait until store_watches runs their handlers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define STORE_WATCHES_MAX 8u

/** store_start - find the ring. Return: 0, -ENODEV (no toolstack made one). */
int store_start(void);

/** store_resume - after a restore: the ring is another page, and watches are to be set again. */
int store_resume(void);

/** store_upgrade - its port is an event channel of pvh-timer's from now on: no more polling. */
int store_upgrade(void);

/** store_read - Return: the value's length (it ends with a NUL), -ENOENT, -E2BIG, ... */
int store_get(uint32_t transaction, const char *path, char *value, size_t size);

int store_put(uint32_t transaction, const char *path, const char *value);
int store_delete(uint32_t transaction, const char *path);
int store_transaction_begin(uint32_t *transaction);
int store_transaction_end(uint32_t transaction, int commit);

/** store_names - the children of @path, each ending with a NUL. Return: their length in all. */
int store_names(const char *path, char *names, size_t size);

/** store_watch_add - call @handler(@arg) from store_watches when something at or below @path
 * changes. */
int store_watch_add(const char *path, void (*handler)(void *arg), void *arg, unsigned *watch);
void store_watch_remove(unsigned watch);

/** store_watches - take what has come in and run handlers. Return: how many ran. */
unsigned store_watches(void);

/** store_sleep - until the store may have something for store_watches, a millisecond at most. */
void store_sleep(void);
