#include "frontend/core/blkpool.h"

#include <string.h>

#include "frontend/core/limbo.h"

static void stack_fill(uint16_t *stack, uint32_t *count, uint32_t pages)
{
	for (uint32_t i = 0; i < pages; i++)
		stack[i] = (uint16_t)(pages - 1 - i);
	*count = pages;
}

int blkpool_make(struct blkpool *pool, struct platform *platform, uint16_t domid)
{
	uint32_t pages = BLKPOOL_DATA_MAX;
	int rc;

	/* A backend that keeps pages mapped may do so for writing what it only reads (blkif.h). */
	rc = limbo_share(platform, domid, BLKPOOL_LIST_MAX, false, &pool->list);
	if (rc)
		return rc;
	rc = limbo_share(platform, domid, pages, false, &pool->data);
	while (rc && pages > BLKPOOL_DATA_MIN) {
		pages /= 2;
		if (pages < BLKPOOL_DATA_MIN)
			pages = BLKPOOL_DATA_MIN;
		rc = limbo_share(platform, domid, pages, false, &pool->data);
	}
	if (rc) {
		limbo_drop(platform, &pool->list);
		return rc;
	}
	stack_fill(pool->data_free, &pool->data_count, pages);
	stack_fill(pool->list_free, &pool->list_count, BLKPOOL_LIST_MAX);
	return 0;
}

void blkpool_drop(struct blkpool *pool, struct platform *platform)
{
	limbo_drop(platform, &pool->data);
	limbo_drop(platform, &pool->list);
	pool->data_count = pool->list_count = 0;
}

int blkpool_take(struct blkpool *pool, uint32_t pages, uint16_t *data, bool list, uint16_t *page)
{
	if (pages > pool->data_count || (list && !pool->list_count))
		return -EAGAIN;
	for (uint32_t i = 0; i < pages; i++)
		data[i] = pool->data_free[--pool->data_count];
	if (list)
		*page = pool->list_free[--pool->list_count];
	return 0;
}

void blkpool_give(struct blkpool *pool, uint32_t pages, const uint16_t *data, bool list,
		  uint16_t page)
{
	for (uint32_t i = pages; i-- > 0;)
		pool->data_free[pool->data_count++] = data[i];
	if (list)
		pool->list_free[pool->list_count++] = page;
}
