/*
 * grant.h - the grant table, version 1, and pages shared with other domains.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Frames of the table; 512 entries each. */
#define GRANT_FRAMES 4u

/** grant_start - map the table. May be repeated. Return: 0 or an errno. */
int grant_start(void);

/** grant_resume - after a restore, when the table is another one and empty: all that was given is
 * given again, under the same references. Return: 0 or an errno. */
int grant_resume(void);

/** grant_give - let @domid use the page at @address. Return: 0 or -ENOSPC. */
int grant_give(uint16_t domid, const void *address, bool readonly, uint32_t *gref);

/** grant_end - Return: 0, -EBUSY (it is in use: nothing has changed). */
int grant_end(uint32_t gref);

/** grant_used - how many are given. */
uint32_t grant_used(void);
