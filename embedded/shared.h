/*
 * shared.h - the memory of a domain that every process of an embedded host may map.
 *
 * Two descriptors a domain: its memory (frame N is the 4096 bytes at offset N * 4096) and its
 * table, which holds what on Xen lies in the grant table, in Xen's private bookkeeping of it and
 * in the event channel bitmaps. Libraries and host daemon change it with atomic operations only,
 * so granting, copying, revoking and notifying need no message.
 *
 * This holds honest programs to Xen's rules. It is no protection between domains: whoever can
 * connect to a domain's socket can write all of it.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

#include <xen/grant_table.h>

#define SHARED_MAGIC 0x78737431u /* changes with the layout */

#define FRAME_SHIFT 12
#define FRAME_SIZE  (1u << FRAME_SHIFT)

/** Frames 0 to 15 are never given out: a domain's builder puts its special pages there. */
#define SHARED_FRAMES_RESERVED 16u
#define SHARED_FRAMES_MAX      (1u << 24) /* 64 GiB */

/** Grant references: 32 frames of version 1 entries, the first eight kept for the builder. */
#define SHARED_REFS          16384u
#define SHARED_REFS_RESERVED 8u /* GNTTAB_NR_RESERVED_ENTRIES: 0 console, 1 xenstore */

/** Event channels: 1 to 4095; 0 is never a port. */
#define SHARED_PORTS 4096u

/**
 * Who holds a frame or a reference, or the lock of an active entry: 0 nobody, else one of these or
 * the number of a grant session (wire.h), which is never given out twice in a host's life.
 */
enum shared_owner {
	OWNER_NONE,
	OWNER_HOST,     /* the host daemon, for ever */
	OWNER_DEFERRED, /* its owner is gone or let go, but another domain still uses the page */
	OWNER_SESSION   /* the first number of a session */
};

/** What Xen keeps of a reference privately. Changed under lock only; see grant.h. */
struct shared_active {
	_Atomic uint32_t lock;    /* an enum shared_owner or session */
	_Atomic uint16_t readers; /* pins that only read */
	_Atomic uint16_t writers; /* pins that may write */
	uint32_t domid;           /* who pins it, while readers + writers > 0 */
	uint32_t frame;
};

/** An event channel; see port.h for the words' parts. Only the daemon writes link and owner. */
struct shared_port {
	_Atomic uint64_t word;  /* generation, deliveries under way, pending, masked */
	_Atomic uint64_t link;  /* the peer: domid, port, generation; 0 when there is none */
	_Atomic uint64_t owner; /* the handle that hears of it; 0 when there is none */
	_Atomic uint32_t peer;  /* serial number of the peer's domain */
	uint32_t spare;
};

struct shared_table {
	uint32_t magic;
	_Atomic uint32_t domid; /* DOMID_INVALID once the domain is gone */
	uint32_t serial;        /* of this domain: domids come again, serials don't */
	uint32_t frames;        /* length of frame_owner */
	_Atomic uint32_t frame_hint,
		frame_top; /* where to look first; above it none was ever used */
	_Atomic uint32_t ref_hint, ref_top;
	_Atomic uint32_t deferred; /* not 0: there may be references with OWNER_DEFERRED */
	uint8_t spare[FRAME_SIZE - 36];

	grant_entry_v1_t grants[SHARED_REFS];
	struct shared_active active[SHARED_REFS];
	_Atomic uint32_t ref_owner[SHARED_REFS];
	struct shared_port ports[SHARED_PORTS];
	_Atomic uint32_t frame_owner[];
};

_Static_assert(offsetof(struct shared_table, grants) == FRAME_SIZE, "the header is one page");
_Static_assert(sizeof(struct shared_active) == 16 && sizeof(struct shared_port) == 32, "packed");

/** shared_table_size - bytes of the table of a domain with @frames frames. */
static inline size_t shared_table_size(uint32_t frames)
{
	size_t size = sizeof(struct shared_table) + (size_t)frames * sizeof(uint32_t);

	return (size + FRAME_SIZE - 1) & ~(size_t)(FRAME_SIZE - 1);
}
