#include "backend/block/request.h"

#include <errno.h>
#include <string.h>

/* The 32-bit layout packs id right behind the first four bytes; the 64-bit one pads to eight. */
#define PAD_32 4u

_Static_assert(sizeof(struct blkif_request) == 112, "xen/io/blkif.h of a 64-bit build");
_Static_assert(offsetof(struct blkif_request, id) == 8, "xen/io/blkif.h of a 64-bit build");
_Static_assert(offsetof(struct blkif_request_indirect, indirect_grefs) == 28, "shifted by PAD_32");
_Static_assert(sizeof(struct blkif_response) == BLK_RESPONSE_MAX, "xen/io/blkif.h, 64-bit build");
_Static_assert(sizeof(struct blkif_request_segment) == sizeof(struct blk_segment),
	       "descriptors are checked in place");

size_t request_slot_size(enum blk_abi abi)
{
	return sizeof(struct blkif_request) - (abi == BLK_ABI_32 ? PAD_32 : 0);
}

unsigned request_ring_entries(enum blk_abi abi, unsigned pages)
{
	size_t room = (size_t)pages * BLK_PAGE_SIZE - offsetof(struct blkif_sring, ring);
	size_t slots = room / request_slot_size(abi);

	return 1u << (63 - __builtin_clzl(slots));
}

void request_widen(const void *slot, enum blk_abi abi, union blk_wire *wire)
{
	const size_t head = offsetof(struct blkif_request, id) - PAD_32;

	if (abi == BLK_ABI_64) {
		memcpy(wire, slot, sizeof(*wire));
		return;
	}
	memset(wire, 0, sizeof(*wire));
	memcpy(wire, slot, head);
	memcpy((uint8_t *)wire + head + PAD_32, (const uint8_t *)slot + head,
	       request_slot_size(abi) - head);
}

static int segment_parse(struct blkif_request_segment wire, const struct blk_geometry *disk,
			 struct blk_segment *segment)
{
	unsigned sector = BLK_SECTOR_SIZE << disk->segment_shift;

	if (wire.first_sect > wire.last_sect || wire.last_sect >= BLK_PAGE_SIZE / sector)
		return -EINVAL;
	segment->gref = wire.gref;
	segment->offset = (uint16_t)(wire.first_sect * sector);
	segment->length = (uint16_t)((wire.last_sect - wire.first_sect + 1) * sector);
	return 0;
}

static int range_check(const struct blk_geometry *disk, uint64_t offset, uint64_t length)
{
	uint64_t end;

	if (__builtin_add_overflow(offset, length, &end) || end > disk->size)
		return -ERANGE;
	return 0;
}

/* 512 is a power of two: a sector number whose bytes overflow is beyond every disk. */
static int sectors_to_bytes(uint64_t sectors, const struct blk_geometry *disk, uint64_t *bytes)
{
	return __builtin_mul_overflow(sectors, (uint64_t)BLK_SECTOR_SIZE << disk->number_shift,
				      bytes)
		       ? -ERANGE
		       : 0;
}

static int segments_parse(const uint8_t *wire, const struct blk_geometry *disk,
			  struct blk_request *request)
{
	request->length = 0;
	for (unsigned i = 0; i < request->segments; i++) {
		struct blkif_request_segment one;
		int rc;

		memcpy(&one, wire + i * sizeof(one), sizeof(one));
		rc = segment_parse(one, disk, &request->segment[i]);
		if (rc)
			return rc;
		request->length += request->segment[i].length;
	}
	return range_check(disk, request->offset, request->length);
}

static int discard_parse(const struct blkif_request_discard *wire, const struct blk_geometry *disk,
			 struct blk_request *request)
{
	int rc;

	request->secure = disk->erase_told && wire->flag & BLKIF_DISCARD_SECURE;
	if (!disk->can_discard || (request->secure && !disk->can_erase))
		return -EOPNOTSUPP;
	if (disk->read_only)
		return -EROFS;
	request->op = BLK_DISCARD;
	request->segments = 0;
	rc = sectors_to_bytes(wire->sector_number, disk, &request->offset);
	if (!rc)
		rc = sectors_to_bytes(wire->nr_sectors, disk, &request->length);
	if (!rc && !request->length)
		rc = -EINVAL;
	return rc ? rc : range_check(disk, request->offset, request->length);
}

static int op_parse(uint8_t operation, enum blk_op *op)
{
	switch (operation) {
	case BLKIF_OP_READ:
		*op = BLK_READ;
		return 0;
	case BLKIF_OP_WRITE:
		*op = BLK_WRITE;
		return 0;
	case BLKIF_OP_WRITE_BARRIER:
		*op = BLK_BARRIER;
		return 0;
	case BLKIF_OP_FLUSH_DISKCACHE:
		*op = BLK_FLUSH;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int indirect_parse(const struct blkif_request_indirect *wire,
			  const struct blk_geometry *disk, struct blk_request *request)
{
	request->operation = wire->indirect_op;
	if (wire->indirect_op != BLKIF_OP_READ && wire->indirect_op != BLKIF_OP_WRITE)
		return -EOPNOTSUPP;
	request->op = wire->indirect_op == BLKIF_OP_READ ? BLK_READ : BLK_WRITE;
	if (disk->read_only && request->op == BLK_WRITE)
		return -EROFS;
	if (!wire->nr_segments || wire->nr_segments > BLK_SEGMENTS_MAX)
		return -EINVAL;
	request->segments = wire->nr_segments;
	request->indirect = true;
	request->indirect_ref = wire->indirect_grefs[0];
	request->length = 0;
	return sectors_to_bytes(wire->sector_number, disk, &request->offset);
}

static int direct_parse(const struct blkif_request *wire, const struct blk_geometry *disk,
			struct blk_request *request)
{
	int rc = op_parse(wire->operation, &request->op);

	if (rc)
		return rc;
	if (wire->nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return -EINVAL;
	request->segments = wire->nr_segments;
	if (!request->segments) {
		/* Frontends write anything into the sector of an empty flush (-1, for one). */
		request->offset = 0;
		request->length = 0;
		return request->op == BLK_FLUSH || request->op == BLK_BARRIER ? 0 : -EINVAL;
	}
	if (disk->read_only && request->op != BLK_READ)
		return -EROFS;
	rc = sectors_to_bytes(wire->sector_number, disk, &request->offset);
	return rc ? rc : segments_parse((const uint8_t *)wire->seg, disk, request);
}

int request_parse(const union blk_wire *wire, const struct blk_geometry *disk,
		  struct blk_request *request)
{
	request->id = wire->direct.id;
	request->operation = wire->direct.operation;
	request->indirect = false;
	switch (wire->direct.operation) {
	case BLKIF_OP_DISCARD:
		return discard_parse(&wire->discard, disk, request);
	case BLKIF_OP_INDIRECT:
		return indirect_parse(&wire->indirect, disk, request);
	default:
		return direct_parse(&wire->direct, disk, request);
	}
}

int request_indirect(const void *wire, const struct blk_geometry *disk, struct blk_request *request)
{
	request->indirect = false;
	return segments_parse(wire, disk, request);
}

int request_allowed(const struct blk_request *request, const struct blk_geometry *disk)
{
	if (request->op == BLK_DISCARD &&
	    (!disk->can_discard || (request->secure && !disk->can_erase)))
		return -EOPNOTSUPP;
	if (request->op != BLK_READ && request->length && disk->read_only)
		return -EROFS;
	return request->length ? range_check(disk, request->offset, request->length) : 0;
}

static int16_t status_of(int rc)
{
	if (!rc)
		return BLKIF_RSP_OKAY;
	return rc == -EOPNOTSUPP ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_ERROR;
}

size_t request_response(enum blk_abi abi, const struct blk_request *request, int rc,
			uint8_t response[BLK_RESPONSE_MAX])
{
	struct blkif_response wire;

	memset(&wire, 0, sizeof(wire)); /* the padding too */
	wire.id = request->id;
	wire.operation = request->operation;
	wire.status = status_of(rc);
	memcpy(response, &wire, sizeof(wire));
	return sizeof(wire) - (abi == BLK_ABI_32 ? PAD_32 : 0);
}
