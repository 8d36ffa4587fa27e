#include "backend/block/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#define PAGE_SIZE 4096u

int pool_open(struct pool *pool)
{
	void *memory = mmap(NULL, (size_t)POOL_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	*pool = (struct pool){.memory = memory};
	return 0;
}

void pool_close(struct pool *pool)
{
	if (pool->memory)
		munmap(pool->memory, (size_t)POOL_PAGES * PAGE_SIZE);
	pool->memory = NULL;
}

static bool is_used(const struct pool *pool, unsigned page)
{
	return pool->used[page / 64] >> (page % 64) & 1;
}

static void mark(struct pool *pool, unsigned first, unsigned pages)
{
	for (unsigned page = first; page < first + pages; page++)
		pool->used[page / 64] ^= 1ull << (page % 64);
}

/* The first run of free pages: those of a quiet disk are always the same few. */
static unsigned find(const struct pool *pool, unsigned pages)
{
	unsigned run = 0;

	for (unsigned page = 0; page < POOL_PAGES; page++) {
		if (page % 64 == 0 && pool->used[page / 64] == UINT64_MAX) {
			page += 63;
			run = 0;
			continue;
		}
		run = is_used(pool, page) ? 0 : run + 1;
		if (run == pages)
			return page + 1 - pages;
	}
	return POOL_PAGES;
}

uint8_t *pool_take(struct pool *pool, unsigned pages)
{
	unsigned first = find(pool, pages);

	if (first == POOL_PAGES)
		return NULL;
	mark(pool, first, pages);
	return pool->memory + (size_t)first * PAGE_SIZE;
}

void pool_give(struct pool *pool, uint8_t *buffer, unsigned pages)
{
	mark(pool, (unsigned)((size_t)(buffer - pool->memory) / PAGE_SIZE), pages);
}
