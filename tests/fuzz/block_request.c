/* A blkif slot of either layout and its indirect page: whatever is accepted is within the disk and
 * its pages. */
#include "backend/block/request.h"
#include "tests/fuzz/fuzz.h"

static void segments_check(const struct blk_request *request)
{
	uint64_t length = 0;

	CHECK(request->segments <= BLK_SEGMENTS_MAX);
	for (unsigned n = 0; n < request->segments; n++) {
		const struct blk_segment *segment = &request->segment[n];

		CHECK(segment->length && segment->length % BLK_SECTOR_SIZE == 0);
		CHECK(segment->offset % BLK_SECTOR_SIZE == 0);
		CHECK(segment->offset + segment->length <= BLK_PAGE_SIZE);
		length += segment->length;
	}
	CHECK(request->op == BLK_DISCARD || request->length == length);
}

static void accepted(const struct blk_request *request, const struct blk_geometry *disk)
{
	if (request->length) {
		CHECK(request->offset <= disk->size);
		CHECK(request->length <= disk->size - request->offset);
		CHECK(request->op == BLK_READ || !disk->read_only);
	}
	CHECK(request->op != BLK_DISCARD || disk->can_discard);
	CHECK(request->op == BLK_FLUSH || request->op == BLK_BARRIER || request->length);
	CHECK(!request_allowed(request, disk));
	segments_check(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct blk_request request;
	struct input bytes = {data, size};
	uint8_t head[3], slot[sizeof(struct blkif_request)], response[BLK_RESPONSE_MAX];
	struct blk_geometry disk = {0};
	union blk_wire wire;
	enum blk_abi abi;
	int rc;

	input_take(&bytes, head, sizeof(head));
	abi = head[0] & 1 ? BLK_ABI_32 : BLK_ABI_64;
	disk.read_only = head[0] & 2;
	disk.can_discard = head[0] & 4;
	disk.number_shift = head[2] & 1 ? 3 : 0;
	disk.segment_shift = head[2] & 2 ? 3 : 0;
	disk.size = head[0] & 8 ? UINT64_MAX - UINT64_MAX % BLK_SECTOR_SIZE
				: (uint64_t)head[1] * 64 * BLK_SECTOR_SIZE;
	input_take(&bytes, slot, request_slot_size(abi));
	request_widen(slot, abi, &wire);
	memset(&request, 0xa5, sizeof(request));
	rc = request_parse(&wire, &disk, &request);
	if (!rc && request.indirect) {
		CHECK(request.segments && request.segments <= BLK_SEGMENTS_MAX);
		input_take(&bytes, request.segment,
			   request.segments * sizeof(struct blkif_request_segment));
		rc = request_indirect(request.segment, &disk, &request);
	}
	if (!rc)
		accepted(&request, &disk);
	CHECK(request_response(abi, &request, rc, response) <= sizeof(response));
	return 0;
}
