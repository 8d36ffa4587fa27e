/* One request out of the ring: what is refused, and that both layouts mean the same. */
#include <errno.h>
#include <string.h>

#include "backend/block/request.h"
#include "tests/unit/check.h"

#define SECTORS 1000u

static const struct blk_geometry disk = {.size = SECTORS * 512ull, .can_discard = true};
static const struct blk_geometry read_only = {.size = SECTORS * 512ull, .read_only = true};

static struct blk_request request;

static union blk_wire direct(uint8_t operation, unsigned segments, uint64_t sector)
{
	union blk_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.direct.operation = operation;
	wire.direct.nr_segments = (uint8_t)segments;
	wire.direct.id = 0x1122334455667788;
	wire.direct.sector_number = sector;
	for (unsigned n = 0; n < segments && n < BLKIF_MAX_SEGMENTS_PER_REQUEST; n++)
		wire.direct.seg[n] = (struct blkif_request_segment){100 + n, 0, 7};
	return wire;
}

static const struct {
	const char *what;
	uint8_t first, last;
	int rc;
	unsigned offset, length;
} segments[] = {
	{"a whole page", 0, 7, 0, 0, 4096},
	{"one sector at the start", 0, 0, 0, 0, 512},
	{"one sector at the end", 7, 7, 0, 3584, 512},
	{"the middle", 2, 5, 0, 1024, 2048},
	{"reversed", 5, 2, -EINVAL, 0, 0},
	{"reversed by one", 1, 0, -EINVAL, 0, 0},
	{"one beyond the page", 0, 8, -EINVAL, 0, 0},
	{"all beyond the page", 8, 8, -EINVAL, 0, 0},
	{"as far as a byte goes", 255, 255, -EINVAL, 0, 0},
	{"from zero to a byte's end", 0, 255, -EINVAL, 0, 0},
};

START_TEST(segment_bounds)
{
	union blk_wire wire = direct(BLKIF_OP_WRITE, 2, 0);

	wire.direct.seg[1] =
		(struct blkif_request_segment){7, segments[_i].first, segments[_i].last};
	ck_assert_msg(request_parse(&wire, &disk, &request) == segments[_i].rc, "%s",
		      segments[_i].what);
	if (segments[_i].rc)
		return;
	ck_assert_uint_eq(request.segment[1].gref, 7);
	ck_assert_uint_eq(request.segment[1].offset, segments[_i].offset);
	ck_assert_uint_eq(request.segment[1].length, segments[_i].length);
	ck_assert_uint_eq(request.length, 4096 + segments[_i].length);
}
END_TEST

static const struct {
	const char *what;
	uint8_t operation;
	unsigned segments;
	uint64_t sector;
	bool read_only;
	int rc;
} requests[] = {
	{"read", BLKIF_OP_READ, 1, 0, false, 0},
	{"read of all segments", BLKIF_OP_READ, 11, 0, false, 0},
	{"write", BLKIF_OP_WRITE, 1, 0, false, 0},
	{"read on a read-only disk", BLKIF_OP_READ, 1, 0, true, 0},
	{"XSA-142: write to a read-only disk", BLKIF_OP_WRITE, 1, 0, true, -EROFS},
	{"XSA-142: barrier to a read-only disk", BLKIF_OP_WRITE_BARRIER, 1, 0, true, -EROFS},
	{"XSA-142: flush with data to a read-only disk", BLKIF_OP_FLUSH_DISKCACHE, 1, 0, true,
	 -EROFS},
	{"empty flush", BLKIF_OP_FLUSH_DISKCACHE, 0, UINT64_MAX, false, 0},
	{"empty flush of a read-only disk", BLKIF_OP_FLUSH_DISKCACHE, 0, 0, true, 0},
	{"flush with data", BLKIF_OP_FLUSH_DISKCACHE, 1, 0, false, 0},
	{"empty barrier", BLKIF_OP_WRITE_BARRIER, 0, 0, false, 0},
	{"no segments to read", BLKIF_OP_READ, 0, 0, false, -EINVAL},
	{"no segments to write", BLKIF_OP_WRITE, 0, 0, false, -EINVAL},
	{"one segment too many", BLKIF_OP_READ, 12, 0, false, -EINVAL},
	{"as many segments as a byte says", BLKIF_OP_READ, 255, 0, false, -EINVAL},
	{"too many segments of a flush", BLKIF_OP_FLUSH_DISKCACHE, 12, 0, false, -EINVAL},
	{"up to the end", BLKIF_OP_READ, 1, SECTORS - 8, false, 0},
	{"one sector beyond the end", BLKIF_OP_READ, 1, SECTORS - 7, false, -ERANGE},
	{"starts at the end", BLKIF_OP_READ, 1, SECTORS, false, -ERANGE},
	{"its end wraps", BLKIF_OP_READ, 1, UINT64_MAX / 512, false, -ERANGE},
	{"its bytes wrap", BLKIF_OP_READ, 1, UINT64_MAX, false, -ERANGE},
	{"its bytes wrap to zero", BLKIF_OP_READ, 1, 1ull << 55, false, -ERANGE},
	{"SLES packet", BLKIF_OP_RESERVED_1, 1, 0, false, -EOPNOTSUPP},
	{"an operation of tomorrow", 7, 1, 0, false, -EOPNOTSUPP},
	{"no operation", 255, 1, 0, false, -EOPNOTSUPP},
};

START_TEST(bounds)
{
	union blk_wire wire =
		direct(requests[_i].operation, requests[_i].segments, requests[_i].sector);
	int rc = request_parse(&wire, requests[_i].read_only ? &read_only : &disk, &request);

	ck_assert_msg(rc == requests[_i].rc, "%s: %d", requests[_i].what, rc);
	ck_assert_msg(request.id == 0x1122334455667788, "%s", requests[_i].what);
	ck_assert_msg(request.operation == requests[_i].operation, "%s", requests[_i].what);
}
END_TEST

static const struct {
	const char *what;
	uint64_t sector, sectors;
	const struct blk_geometry disk;
	int rc;
} discards[] = {
	{"some", 8, 16, {SECTORS * 512ull, false, true, 0, 0, false, false}, 0},
	{"all", 0, SECTORS, {SECTORS * 512ull, false, true, 0, 0, false, false}, 0},
	{"nothing", 0, 0, {SECTORS * 512ull, false, true, 0, 0, false, false}, -EINVAL},
	{"one too many", 1, SECTORS, {SECTORS * 512ull, false, true, 0, 0, false, false}, -ERANGE},
	{"its length wraps",
	 1,
	 UINT64_MAX,
	 {SECTORS * 512ull, false, true, 0, 0, false, false},
	 -ERANGE},
	{"its end wraps",
	 8,
	 UINT64_MAX / 512,
	 {SECTORS * 512ull, false, true, 0, 0, false, false},
	 -ERANGE},
	{"its start wraps",
	 UINT64_MAX,
	 1,
	 {SECTORS * 512ull, false, true, 0, 0, false, false},
	 -ERANGE},
	{"of a read-only disk", 8, 8, {SECTORS * 512ull, true, true, 0, 0, false, false}, -EROFS},
	{"never published",
	 8,
	 8,
	 {SECTORS * 512ull, false, false, 0, 0, false, false},
	 -EOPNOTSUPP},
	{"secure", 8, 16, {SECTORS * 512ull, false, true, 0, 0, true, true}, 0},
	{"secure, but of another image by now",
	 8,
	 16,
	 {SECTORS * 512ull, false, true, 0, 0, false, true},
	 -EOPNOTSUPP},
};

START_TEST(discard_bounds)
{
	union blk_wire wire;
	int rc;

	memset(&wire, 0, sizeof(wire));
	wire.discard.operation = BLKIF_OP_DISCARD;
	wire.discard.flag = 0xff;
	wire.discard.sector_number = discards[_i].sector;
	wire.discard.nr_sectors = discards[_i].sectors;
	rc = request_parse(&wire, &discards[_i].disk, &request);
	ck_assert_msg(rc == discards[_i].rc, "%s: %d", discards[_i].what, rc);
	if (!rc) {
		ck_assert_uint_eq(request.offset, discards[_i].sector * 512);
		ck_assert_uint_eq(request.length, discards[_i].sectors * 512);
		ck_assert_uint_eq(request.segments, 0);
		/* The flag is ignored where it was not published. */
		ck_assert_msg(request.secure == discards[_i].disk.erase_told, "%s",
			      discards[_i].what);
	}
}
END_TEST

/* It was secure when it was taken; another image that cannot is behind the disk since. */
START_TEST(secure_no_more)
{
	const struct blk_geometry before = {
		.size = 4096, .can_discard = true, .can_erase = true, .erase_told = true};
	const struct blk_geometry after = {.size = 4096, .can_discard = true};
	union blk_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.discard.operation = BLKIF_OP_DISCARD;
	wire.discard.flag = BLKIF_DISCARD_SECURE;
	wire.discard.nr_sectors = 8;
	ck_assert_int_eq(request_parse(&wire, &before, &request), 0);
	ck_assert_int_eq(request_allowed(&request, &before), 0);
	ck_assert_int_eq(request_allowed(&request, &after), -EOPNOTSUPP);
}
END_TEST

/* Disks with sectors of 4096, as each kind of frontend counts (Xen's commit 221f2748e8). */
static const struct {
	const char *what;
	uint64_t sector, offset, length;
	int rc;
	uint8_t number_shift, segment_shift, first, last;
} units[] = {
	{"the specification: all 512", 8, 4096, 4096, 0, 0, 0, 0, 7},
	{"FreeBSD: sector_number 4096, segments 512", 1, 4096, 4096, 0, 3, 0, 0, 7},
	{"QEMU, Windows: all 4096", 1, 4096, 4096, 0, 3, 3, 0, 0},
	{"QEMU, Windows: beyond the page", 1, 0, 0, -EINVAL, 3, 3, 0, 1},
	{"QEMU, Windows: beyond the disk", SECTORS / 8, 0, 0, -ERANGE, 3, 3, 0, 0},
	{"QEMU, Windows: wraps", UINT64_MAX / 4096 + 1, 0, 0, -ERANGE, 3, 3, 0, 0},
};

START_TEST(old_units)
{
	const struct blk_geometry geometry = {.size = SECTORS * 512ull,
					      .number_shift = units[_i].number_shift,
					      .segment_shift = units[_i].segment_shift};
	union blk_wire wire;
	int rc;

	memset(&wire, 0, sizeof(wire));
	wire.direct.operation = BLKIF_OP_READ;
	wire.direct.nr_segments = 1;
	wire.direct.sector_number = units[_i].sector;
	wire.direct.seg[0].first_sect = units[_i].first;
	wire.direct.seg[0].last_sect = units[_i].last;
	rc = request_parse(&wire, &geometry, &request);
	ck_assert_msg(rc == units[_i].rc, "%s: %d", units[_i].what, rc);
	if (rc)
		return;
	ck_assert_msg(request.offset == units[_i].offset, "%s", units[_i].what);
	ck_assert_msg(request.length == units[_i].length, "%s", units[_i].what);
}
END_TEST

static const struct {
	const char *what;
	uint8_t operation;
	unsigned segments;
	bool read_only;
	int rc;
} indirects[] = {
	{"one segment", BLKIF_OP_READ, 1, false, 0},
	{"as many as we publish", BLKIF_OP_WRITE, BLK_SEGMENTS_MAX, false, 0},
	{"one more", BLKIF_OP_WRITE, BLK_SEGMENTS_MAX + 1, false, -EINVAL},
	{"as many as the field holds", BLKIF_OP_WRITE, 0xffff, false, -EINVAL},
	{"none", BLKIF_OP_READ, 0, false, -EINVAL},
	{"XSA-142: write to a read-only disk", BLKIF_OP_WRITE, 1, true, -EROFS},
	{"indirect of indirect", BLKIF_OP_INDIRECT, 1, false, -EOPNOTSUPP},
	{"indirect flush", BLKIF_OP_FLUSH_DISKCACHE, 1, false, -EOPNOTSUPP},
	{"indirect discard", BLKIF_OP_DISCARD, 1, false, -EOPNOTSUPP},
};

static union blk_wire indirect(uint8_t operation, unsigned count, uint64_t sector)
{
	union blk_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.indirect.operation = BLKIF_OP_INDIRECT;
	wire.indirect.indirect_op = operation;
	wire.indirect.nr_segments = (uint16_t)count;
	wire.indirect.sector_number = sector;
	wire.indirect.indirect_grefs[0] = 4711;
	return wire;
}

START_TEST(indirect_bounds)
{
	union blk_wire wire = indirect(indirects[_i].operation, indirects[_i].segments, 0);
	int rc = request_parse(&wire, indirects[_i].read_only ? &read_only : &disk, &request);

	ck_assert_msg(rc == indirects[_i].rc, "%s: %d", indirects[_i].what, rc);
	if (!rc) {
		ck_assert(request.indirect);
		ck_assert_uint_eq(request.indirect_ref, 4711);
		ck_assert_uint_eq(request.operation, indirects[_i].operation);
	}
}
END_TEST

/* The descriptors are checked where they lie, which the copy from the guest's page overwrote. */
START_TEST(indirect_descriptors)
{
	union blk_wire wire = indirect(BLKIF_OP_READ, 3, SECTORS - 24);
	struct blkif_request_segment descriptors[3] = {{5, 0, 7}, {6, 0, 7}, {7, 0, 7}};

	ck_assert_int_eq(request_parse(&wire, &disk, &request), 0);
	memcpy(request.segment, descriptors, sizeof(descriptors));
	ck_assert_int_eq(request_indirect(request.segment, &disk, &request), 0);
	ck_assert_uint_eq(request.length, 3 * 4096);
	ck_assert_uint_eq(request.segment[2].gref, 7);
	ck_assert_uint_eq(request.segment[2].length, 4096);

	descriptors[1].last_sect = 8;
	ck_assert_int_eq(request_indirect(descriptors, &disk, &request), -EINVAL);
	wire.indirect.sector_number++;
	ck_assert_int_eq(request_parse(&wire, &disk, &request), 0);
	descriptors[1].last_sect = 7;
	ck_assert_int_eq(request_indirect(descriptors, &disk, &request), -ERANGE);
}
END_TEST

/* The 32-bit layout, field by field as a 32-bit guest's compiler lays it out. */
struct request_32 {
	uint8_t operation, nr_segments;
	uint16_t handle;
	uint64_t id, sector;
	struct blkif_request_segment seg[11];
} __attribute__((packed, aligned(4)));

struct discard_32 {
	uint8_t operation, flag;
	uint16_t handle;
	uint64_t id, sector, sectors;
} __attribute__((packed, aligned(4)));

struct indirect_32 {
	uint8_t operation, indirect_op;
	uint16_t nr_segments;
	uint64_t id, sector;
	uint16_t handle, pad;
	uint32_t grefs[8];
	uint64_t more_pad;
} __attribute__((packed, aligned(4)));

START_TEST(layout_of_32_bits)
{
	union {
		struct request_32 request;
		struct discard_32 discard;
		struct indirect_32 indirect;
		uint8_t slot[108];
	} narrow;
	union blk_wire wire;

	ck_assert_uint_eq(sizeof(narrow.request), 108);
	ck_assert_uint_eq(sizeof(narrow.indirect), 64);
	ck_assert_uint_eq(request_slot_size(BLK_ABI_32), 108);
	ck_assert_uint_eq(request_slot_size(BLK_ABI_64), 112);

	memset(&narrow, 0xee, sizeof(narrow));
	narrow.request =
		(struct request_32){BLKIF_OP_READ, 11, 0xabcd, 0x0102030405060708, 3, {{0}}};
	for (unsigned n = 0; n < 11; n++)
		narrow.request.seg[n] = (struct blkif_request_segment){n + 1, 1, 6};
	request_widen(&narrow, BLK_ABI_32, &wire);
	ck_assert_uint_eq(wire.direct.handle, 0xabcd);
	ck_assert_int_eq(request_parse(&wire, &disk, &request), 0);
	ck_assert_uint_eq(request.id, 0x0102030405060708);
	ck_assert_uint_eq(request.offset, 3 * 512);
	ck_assert_uint_eq(request.segment[10].gref, 11);
	ck_assert_uint_eq(request.segment[10].offset, 512);
	ck_assert_uint_eq(request.length, 11 * 6 * 512);

	narrow.discard = (struct discard_32){BLKIF_OP_DISCARD, 0, 0, 42, 5, 6};
	request_widen(&narrow, BLK_ABI_32, &wire);
	ck_assert_int_eq(request_parse(&wire, &disk, &request), 0);
	ck_assert_uint_eq(request.id, 42);
	ck_assert_uint_eq(request.offset, 5 * 512);
	ck_assert_uint_eq(request.length, 6 * 512);

	narrow.indirect = (struct indirect_32){
		BLKIF_OP_INDIRECT, BLKIF_OP_WRITE, 200, 43, 7, 1, 0, {99, 98}, 0};
	request_widen(&narrow, BLK_ABI_32, &wire);
	ck_assert_int_eq(request_parse(&wire, &disk, &request), 0);
	ck_assert_uint_eq(request.id, 43);
	ck_assert_uint_eq(request.segments, 200);
	ck_assert_uint_eq(request.offset, 7 * 512);
	ck_assert_uint_eq(request.indirect_ref, 99);
}
END_TEST

START_TEST(layout_of_64_bits)
{
	union blk_wire same = direct(BLKIF_OP_WRITE, 11, 9), wire;

	request_widen(&same, BLK_ABI_64, &wire);
	ck_assert_mem_eq(&same, &wire, sizeof(wire));
}
END_TEST

START_TEST(ring_sizes)
{
	static const unsigned entries[] = {32, 64, 128, 256, 512};

	ck_assert_uint_eq(request_ring_entries(BLK_ABI_64, 1u << _i), entries[_i]);
	ck_assert_uint_eq(request_ring_entries(BLK_ABI_32, 1u << _i), entries[_i]);
}
END_TEST

static const struct {
	const char *what;
	int rc;
	int16_t status;
} statuses[] = {
	{"done", 0, BLKIF_RSP_OKAY},
	{"not offered", -EOPNOTSUPP, BLKIF_RSP_EOPNOTSUPP},
	{"refused", -EINVAL, BLKIF_RSP_ERROR},
	{"no space", -ENOSPC, BLKIF_RSP_ERROR},
};

/* XSA-216: nothing of our memory goes out with the padding. */
START_TEST(xsa_216_response_padding)
{
	uint8_t response[BLK_RESPONSE_MAX], expected[BLK_RESPONSE_MAX] = {0};
	const uint64_t id = 0x1122334455667788;

	request.id = id;
	request.operation = BLKIF_OP_WRITE;
	memcpy(expected, &id, 8);
	expected[8] = BLKIF_OP_WRITE;
	memcpy(expected + 10, &statuses[_i].status, 2);
	memset(response, 0xee, sizeof(response));
	ck_assert_uint_eq(request_response(BLK_ABI_64, &request, statuses[_i].rc, response), 16);
	ck_assert_mem_eq(response, expected, 16);
	memset(response, 0xee, sizeof(response));
	ck_assert_uint_eq(request_response(BLK_ABI_32, &request, statuses[_i].rc, response), 12);
	ck_assert_mem_eq(response, expected, 12);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_request");
	TCase *tc = tcase_create("block_request");

	tcase_add_loop_test(tc, segment_bounds, 0, TABLE_SIZE(segments));
	tcase_add_loop_test(tc, bounds, 0, TABLE_SIZE(requests));
	tcase_add_test(tc, secure_no_more);
	tcase_add_loop_test(tc, discard_bounds, 0, TABLE_SIZE(discards));
	tcase_add_loop_test(tc, old_units, 0, TABLE_SIZE(units));
	tcase_add_loop_test(tc, indirect_bounds, 0, TABLE_SIZE(indirects));
	tcase_add_test(tc, indirect_descriptors);
	tcase_add_test(tc, layout_of_32_bits);
	tcase_add_test(tc, layout_of_64_bits);
	tcase_add_loop_test(tc, ring_sizes, 0, 5);
	tcase_add_loop_test(tc, xsa_216_response_padding, 0, TABLE_SIZE(statuses));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
