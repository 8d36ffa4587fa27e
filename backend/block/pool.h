/*
 * pool.h - the memory that a queue's requests move through: a fixed number of pages, handed out in
 * runs.
 *
 * It bounds what a guest can make us hold. A request that finds no room waits on the ring.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** 4 MiB a queue: four of the largest requests, or 85 of the largest direct ones. */
#define POOL_PAGES 1024u

struct pool {
	uint8_t *memory;                /* POOL_PAGES pages, untouched ones cost nothing */
	uint64_t used[POOL_PAGES / 64]; /* a bit a page */
};

/** pool_open - reserve the address space. Return: 0 or -ENOMEM. */
int pool_open(struct pool *pool);

/** pool_close - give it back; one that was never opened is allowed when zeroed. */
void pool_close(struct pool *pool);

/** pool_take - @pages pages in a row, page-aligned, or NULL when there is no such run now. */
uint8_t *pool_take(struct pool *pool, unsigned pages);

/** pool_give - return what pool_take gave for the same @pages. */
void pool_give(struct pool *pool, uint8_t *buffer, unsigned pages);
