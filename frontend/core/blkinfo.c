#include "frontend/core/blkinfo.h"

#include "frontend/core/wire.h"

static uint32_t order_of_pages(uint64_t pages)
{
	uint32_t order = 0;

	while (order < BLK_RING_ORDER_MAX && (2ull << order) <= pages)
		order++;
	return order;
}

int blkinfo_ring_order(struct platform *platform, const char *backend, uint32_t *order)
{
	struct store_nodes nodes = {platform, backend, 0};
	uint64_t said = store_number_or(&nodes, "max-ring-page-order", UINT32_MAX, 0);
	uint64_t pages = store_number_or(&nodes, "max-ring-pages", UINT32_MAX, 1);

	if (!said)
		said = order_of_pages(pages);
	*order = said < BLK_RING_ORDER_MAX ? (uint32_t)said : BLK_RING_ORDER_MAX;
	return nodes.rc;
}

static bool sector_size_valid(uint64_t size)
{
	return size >= WIRE_SECTOR_SIZE && size <= WIRE_PAGE_SIZE && !(size & (size - 1));
}

/* A size in bytes that must be a multiple of the sector's, or the sector's when it is not. */
static uint32_t multiple_or(struct store_nodes *nodes, const char *name, uint32_t sector_size)
{
	uint64_t size = store_number_or(nodes, name, UINT32_MAX, sector_size);

	return size && size % sector_size == 0 ? (uint32_t)size : sector_size;
}

static uint32_t request_max_read(struct store_nodes *nodes)
{
	uint64_t segments = store_number_or(nodes, "feature-max-indirect-segments", UINT32_MAX, 0);

	if (segments < BLKIF_MAX_SEGMENTS_PER_REQUEST)
		segments = BLKIF_MAX_SEGMENTS_PER_REQUEST;
	if (segments > BLK_SEGMENTS_MAX)
		segments = BLK_SEGMENTS_MAX;
	return (uint32_t)segments * WIRE_PAGE_SIZE;
}

int blkinfo_read(struct platform *platform, const char *backend, struct blkinfo *info)
{
	struct store_nodes nodes = {platform, backend, 0};
	uint64_t sectors, sector_size, bits;
	int rc;

	rc = store_read_number(platform, backend, "sectors", UINT64_MAX, &sectors);
	if (!rc)
		rc = store_read_number(platform, backend, "sector-size", UINT64_MAX, &sector_size);
	if (rc)
		return rc == -EIO ? rc : -ENOENT;
	if (!sector_size_valid(sector_size))
		return -EINVAL;
	if (sectors > INT64_MAX / WIRE_SECTOR_SIZE)
		return -EFBIG;
	bits = store_number_or(&nodes, "info", UINT32_MAX, 0);

	*info = (struct blkinfo){
		.size = sectors * WIRE_SECTOR_SIZE / sector_size * sector_size,
		.sector_size = (uint32_t)sector_size,
		.read_only = bits & VDISK_READONLY,
		.cdrom = bits & VDISK_CDROM,
		.removable = bits & VDISK_REMOVABLE,
		.can_flush = store_flag(&nodes, "feature-flush-cache"),
		.can_discard = store_flag(&nodes, "feature-discard"),
		.request_max = request_max_read(&nodes),
	};
	info->physical_sector_size = multiple_or(&nodes, "physical-sector-size", info->sector_size);
	info->discard_granularity = multiple_or(&nodes, "discard-granularity", info->sector_size);
	return nodes.rc;
}
