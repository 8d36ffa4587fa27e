/*
 * grant.h - the rules of Xen's grant table version 1, on the shared memory of shared.h.
 *
 * Pinning is what Xen does when it maps or copies (xen/common/grant_table.c): it checks type and
 * domid of the entry and sets GTF_reading and GTF_writing in one compare-and-exchange, and keeps
 * them set while any pin is left. Granting and revoking are what a guest does (xen/grant_table.h).
 *
 * Each pin is recorded in the maptrack of its session before it is taken, so the host daemon can
 * give it back when the process dies, wherever it was just then.
 *
 * Pure but for a futex wait on a lock that another process holds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "embedded/shared.h"

/** How many grants a session maps at once. */
#define MAPTRACK_SLOTS 65536u

enum maptrack_state {
	MAPTRACK_FREE,
	MAPTRACK_TRYING, /* no pin, but perhaps the entry's lock */
	MAPTRACK_READER,
	MAPTRACK_WRITER,
};

struct maptrack_slot {
	uint32_t serial; /* of the granting domain */
	uint32_t ref;
	_Atomic uint32_t state; /* enum maptrack_state */
	uint32_t spare;
};

/** What a session shares with the daemon. */
struct maptrack {
	uint32_t session;
	_Atomic uint32_t top; /* no slot from here on was ever used */
	uint32_t spare[2];
	struct maptrack_slot slot[MAPTRACK_SLOTS];
};

/** Who pins. */
struct grant_user {
	uint32_t session;
	uint16_t domid;
};

/**
 * grant_pin - take a page that was granted to us.
 * @table: of the granting domain, known as @domid to the caller
 * @slot:  a free one; records the pin
 * @frame: set on success
 *
 * Return: GNTST_okay, GNTST_bad_domain (the domain is gone), GNTST_bad_gntref (out of range),
 * GNTST_general_error (not granted, not to us, or read-only and @write), GNTST_bad_page (a frame
 * that the domain has not), GNTST_eagain (the entry's lock was held for seconds).
 */
int16_t grant_pin(struct shared_table *table, uint32_t ref, const struct grant_user *user,
		  bool write, struct maptrack_slot *slot, uint32_t *frame);

/** grant_unpin - give it back; its slot is free again. Return: false when the lock was held for
 * seconds. */
bool grant_unpin(struct shared_table *table, const struct grant_user *user,
		 struct maptrack_slot *slot);

/** grant_trylock - take an active entry's lock. @from: OWNER_NONE, or a dead session to take it
 * from. */
bool grant_trylock(struct shared_active *active, uint32_t from, uint32_t owner);

/** grant_unlock - release it. */
void grant_unlock(struct shared_active *active);

/** grant_unpin_locked - the same for who holds the lock; the slot is left as TRYING, until
 * unlocked. */
void grant_unpin_locked(struct shared_table *table, struct maptrack_slot *slot);

/** grant_recount - set the pins of an entry, whose lock is held, to what the maptracks say. */
void grant_recount(struct shared_table *table, uint32_t ref, uint16_t readers, uint16_t writers);

/* --- the granting side --- */

/** grant_frame_take - a frame for @session. Return: its number, or 0 when none is left. */
uint32_t grant_frame_take(struct shared_table *table, uint32_t session);

/** grant_frame_give - the frame is free, if @owner has it. */
void grant_frame_give(struct shared_table *table, uint32_t frame, uint32_t owner);

/** grant_ref_take - an unused reference for @session. Return: its number, or 0 when none is left.
 */
uint32_t grant_ref_take(struct shared_table *table, uint32_t session);

/** grant_allow - let @domid use @frame by @ref from now on. */
void grant_allow(struct shared_table *table, uint32_t ref, uint16_t domid, uint32_t frame,
		 bool readonly);

/** grant_revoke - let nobody use it any more. Return: false while it is in use. */
bool grant_revoke(struct shared_table *table, uint32_t ref);

/**
 * grant_end - revoke @ref of @owner and free it and its frame; while it is in use both are
 * deferred. Return: true when it is free.
 */
bool grant_end(struct shared_table *table, uint32_t ref, uint32_t owner);

/** grant_reap - end deferred references that are not in use any more, as @owner. */
void grant_reap(struct shared_table *table, uint32_t owner);
