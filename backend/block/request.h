/*
 * request.h - one blkif request, copied out of the ring and checked.
 *
 * Pure: no I/O, no allocation, no globals. The ring page belongs to the guest and changes while we
 * read it, so everything here works on a private copy (XSA-155). Wire format: xen/io/blkif.h. All
 * sector numbers are units of 512 bytes whatever sector-size says (as its text of 2024 has it).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

#include <xen/io/blkif.h>

/** What we publish as feature-max-indirect-segments: 1 MiB a request, one page of descriptors. */
#define BLK_SEGMENTS_MAX 256u

#define BLK_SECTOR_SIZE 512u
#define BLK_PAGE_SIZE   4096u

/** The most data that one request moves, and room to start at the guest's offset into a page. */
#define BLK_LENGTH_MAX (BLK_SEGMENTS_MAX * BLK_PAGE_SIZE)

/** Whose struct layout the ring has ("protocol" node, xen/io/protocols.h). */
enum blk_abi { BLK_ABI_64, BLK_ABI_32 };

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_BARRIER, BLK_DISCARD };

/** The part of one granted page that a request covers. */
struct blk_segment {
	uint32_t gref;
	uint16_t offset; /* bytes into the page, a multiple of 512 */
	uint16_t length; /* bytes, 512 to 4096 - offset */
};

/** The disk as a request sees it. */
struct blk_geometry {
	uint64_t size; /* bytes */
	bool read_only;
	bool can_discard;
	uint8_t number_shift;  /* sector_number and nr_sectors: 512 << this bytes; 0 but for old
				  frontends */
	uint8_t segment_shift; /* first_sect and last_sect: the same */
	bool can_erase;        /* discards that promise it are secure */
	bool erase_told;       /* so the guest was told, perhaps of another image: it may want it */
};

/** A slot of the ring in our own layout: the three structs share operation, id and sector_number.
 */
union blk_wire {
	struct blkif_request direct;
	struct blkif_request_discard discard;
	struct blkif_request_indirect indirect;
};

/** A checked request. FLUSH and BARRIER may carry data to write, or none. */
struct blk_request {
	uint64_t id;       /* the guest's: opaque, not unique, only echoed */
	uint8_t operation; /* what the response echoes: never INDIRECT but what it stands for */
	enum blk_op op;
	uint64_t offset; /* bytes into the disk */
	uint64_t length; /* bytes, at most BLK_LENGTH_MAX, but for DISCARD */
	uint16_t segments;
	bool secure;           /* of DISCARD: no copy may be left */
	bool indirect;         /* segment[] is yet to come, see request_indirect */
	uint32_t indirect_ref; /* the granted page that holds it */
	struct blk_segment segment[BLK_SEGMENTS_MAX];
};

/** request_slot_size - bytes of a slot in the ring. */
size_t request_slot_size(enum blk_abi abi);

/** request_ring_entries - how many slots a ring of @pages pages has: a power of two. */
unsigned request_ring_entries(enum blk_abi abi, unsigned pages);

/**
 * request_widen - bring a slot into our own layout.
 * @slot: a private copy of request_slot_size(@abi) bytes
 */
void request_widen(const void *slot, enum blk_abi abi, union blk_wire *wire);

/**
 * request_parse - check a slot and turn it into bytes.
 * @wire:    private copy
 * @disk:    the disk it is for
 * @request: id and operation are always filled, the rest on success only
 *
 * Of an indirect request only the slot is checked: fetch request->segments descriptors of 8 bytes
 * from the start of page request->indirect_ref, then call request_indirect.
 *
 * Return: 0, or
 *   -EINVAL      a segment is reversed or leaves its page; no or too many segments
 *   -ERANGE      it ends beyond the disk, or its end wraps
 *   -EROFS       it would change a read-only disk
 *   -EOPNOTSUPP  we never published the operation
 * The guest hears BLKIF_RSP_EOPNOTSUPP for the last and BLKIF_RSP_ERROR for the others.
 */
int request_parse(const union blk_wire *wire, const struct blk_geometry *disk,
		  struct blk_request *request);

/**
 * request_indirect - check the descriptors of an indirect request.
 * @wire: private copy of request->segments descriptors; may be request->segment itself, which has
 *        the same size
 *
 * Return: 0, -EINVAL or -ERANGE, as request_parse.
 */
int request_indirect(const void *wire, const struct blk_geometry *disk,
		     struct blk_request *request);

/**
 * request_allowed - is a checked request still good for @disk, which has changed since?
 * Return: 0, -ERANGE, -EROFS or -EOPNOTSUPP, as request_parse.
 */
int request_allowed(const struct blk_request *request, const struct blk_geometry *disk);

/** The longest response, of either ABI. */
#define BLK_RESPONSE_MAX 16

/**
 * request_response - what the guest hears, in its layout, every byte defined (XSA-216).
 * @rc: 0 or a negative errno
 *
 * Return: how many bytes of @response belong into the slot.
 */
size_t request_response(enum blk_abi abi, const struct blk_request *request, int rc,
			uint8_t response[BLK_RESPONSE_MAX]);
