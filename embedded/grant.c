#include "embedded/grant.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/** As often as Xen tries again when the granter changes the entry under its hands. */
#define STATUS_TRIES 5

/** Milliseconds that a lock's holder may be stopped before we give up. */
#define LOCK_PATIENCE 5000

static uint32_t entry_word(const grant_entry_v1_t *entry)
{
	return __atomic_load_n((const uint32_t *)(const void *)entry, __ATOMIC_ACQUIRE);
}

static bool entry_change(grant_entry_v1_t *entry, uint32_t *from, uint32_t to)
{
	return __atomic_compare_exchange_n((uint32_t *)(void *)entry, from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

static uint16_t word_flags(uint32_t word)
{
	return (uint16_t)word;
}

static uint16_t word_domid(uint32_t word)
{
	return (uint16_t)(word >> 16);
}

/* --- the lock --- */

bool grant_trylock(struct shared_active *active, uint32_t from, uint32_t owner)
{
	return atomic_compare_exchange_strong(&active->lock, &from, owner);
}

void grant_unlock(struct shared_active *active)
{
	atomic_store(&active->lock, OWNER_NONE);
}

/* It is held for some dozen instructions; longer only by a process that was stopped or killed
 * there, in which case the daemon takes it over. So nobody wakes us. */
static bool lock(struct shared_active *active, uint32_t owner)
{
	static const struct timespec millisecond = {.tv_nsec = 1000000};

	for (int waited = 0; waited < LOCK_PATIENCE; waited++) {
		uint32_t holder;

		for (int spin = 0; spin < 200; spin++) {
			if (grant_trylock(active, OWNER_NONE, owner))
				return true;
			__builtin_ia32_pause();
		}
		holder = atomic_load(&active->lock);
		if (holder)
			(void)syscall(SYS_futex, &active->lock, FUTEX_WAIT, holder, &millisecond,
				      NULL, 0);
	}
	return false;
}

/* --- pinning --- */

static int16_t status_set(grant_entry_v1_t *entry, uint16_t domid, bool write)
{
	uint32_t word = entry_word(entry);

	for (int tries = 0; tries < STATUS_TRIES; tries++) {
		uint16_t flags = word_flags(word);

		if ((flags & GTF_type_mask) != GTF_permit_access || word_domid(word) != domid)
			return GNTST_general_error;
		if (write && flags & GTF_readonly)
			return GNTST_general_error;
		flags |= write ? GTF_reading | GTF_writing : GTF_reading;
		if (entry_change(entry, &word, (uint32_t)domid << 16 | flags))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

static void status_clear(grant_entry_v1_t *entry, uint16_t flags)
{
	(void)__atomic_and_fetch(&entry->flags, (uint16_t)~flags, __ATOMIC_SEQ_CST);
}

static int16_t pin_locked(struct shared_table *table, uint32_t ref, uint16_t domid, bool write)
{
	struct shared_active *active = &table->active[ref];
	grant_entry_v1_t *entry = &table->grants[ref];
	bool pinned = active->readers || active->writers;
	int16_t status;

	if (pinned && (active->domid != domid || active->readers == UINT16_MAX ||
		       active->writers == UINT16_MAX))
		return GNTST_general_error;
	if (!pinned || (write && !active->writers)) {
		status = status_set(entry, domid, write);
		if (status)
			return status;
	}
	if (!pinned) {
		active->domid = domid;
		active->frame = __atomic_load_n(&entry->frame, __ATOMIC_ACQUIRE);
		if (active->frame >= table->frames) {
			status_clear(entry, GTF_reading | GTF_writing);
			return GNTST_bad_page;
		}
	}
	if (write)
		active->writers++;
	else
		active->readers++;
	return GNTST_okay;
}

int16_t grant_pin(struct shared_table *table, uint32_t ref, const struct grant_user *user,
		  bool write, struct maptrack_slot *slot, uint32_t *frame)
{
	struct shared_active *active;
	int16_t status = GNTST_eagain;

	if (table->domid == DOMID_INVALID)
		return GNTST_bad_domain;
	if (ref >= SHARED_REFS)
		return GNTST_bad_gntref;
	active = &table->active[ref];
	slot->serial = table->serial;
	slot->ref = ref;
	atomic_store(&slot->state, MAPTRACK_TRYING);
	if (!lock(active, user->session))
		goto out;
	status = pin_locked(table, ref, user->domid, write);
	if (!status) {
		*frame = active->frame;
		atomic_store(&slot->state, write ? MAPTRACK_WRITER : MAPTRACK_READER);
	}
	grant_unlock(active);
out:
	if (status)
		atomic_store(&slot->state, MAPTRACK_FREE);
	return status;
}

/* What the flags must say for the pins that are left. */
static void status_settle(struct shared_table *table, uint32_t ref)
{
	const struct shared_active *active = &table->active[ref];

	if (!active->writers)
		status_clear(&table->grants[ref],
			     active->readers ? GTF_writing : GTF_reading | GTF_writing);
}

void grant_unpin_locked(struct shared_table *table, struct maptrack_slot *slot)
{
	struct shared_active *active = &table->active[slot->ref];

	if (slot->state == MAPTRACK_WRITER)
		active->writers--;
	else if (slot->state == MAPTRACK_READER)
		active->readers--;
	status_settle(table, slot->ref);
	atomic_store(&slot->state, MAPTRACK_TRYING);
}

bool grant_unpin(struct shared_table *table, const struct grant_user *user,
		 struct maptrack_slot *slot)
{
	struct shared_active *active = &table->active[slot->ref];

	if (!lock(active, user->session))
		return false;
	grant_unpin_locked(table, slot);
	grant_unlock(active);
	atomic_store(&slot->state, MAPTRACK_FREE);
	return true;
}

void grant_recount(struct shared_table *table, uint32_t ref, uint16_t readers, uint16_t writers)
{
	atomic_store(&table->active[ref].readers, readers);
	atomic_store(&table->active[ref].writers, writers);
	status_settle(table, ref);
}

/* --- granting --- */

/* Before a thing is ours: a dead owner's are looked for below the top only. */
static void top_raise(_Atomic uint32_t *top, uint32_t number)
{
	uint32_t old = atomic_load(top);

	while (old <= number && !atomic_compare_exchange_weak(top, &old, number + 1))
		;
}

static uint32_t take_between(_Atomic uint32_t *owner, uint32_t from, uint32_t to,
			     _Atomic uint32_t *top, uint32_t session)
{
	for (uint32_t i = from; i < to; i++) {
		uint32_t nobody = OWNER_NONE;

		if (atomic_load(&owner[i]))
			continue;
		top_raise(top, i);
		if (atomic_compare_exchange_strong(&owner[i], &nobody, session))
			return i;
	}
	return 0;
}

/* Near the lowest free one, so that memory once used is used again. The hint may have left one
 * behind that was given back while we looked further up, hence the second look. */
static uint32_t take(_Atomic uint32_t *owner, uint32_t count, _Atomic uint32_t *hint,
		     _Atomic uint32_t *top, uint32_t session)
{
	uint32_t from = atomic_load(hint), taken;

	taken = take_between(owner, from, count, top, session);
	if (!taken)
		taken = take_between(owner, 0, from, top, session);
	if (taken)
		atomic_store(hint, taken + 1);
	return taken;
}

static bool give(_Atomic uint32_t *owner, uint32_t number, uint32_t from, uint32_t to,
		 _Atomic uint32_t *hint)
{
	uint32_t old;

	if (!atomic_compare_exchange_strong(&owner[number], &from, to))
		return false;
	old = atomic_load(hint);
	while (to == OWNER_NONE && old > number &&
	       !atomic_compare_exchange_weak(hint, &old, number))
		;
	return true;
}

uint32_t grant_frame_take(struct shared_table *table, uint32_t session)
{
	return take(table->frame_owner, table->frames, &table->frame_hint, &table->frame_top,
		    session);
}

void grant_frame_give(struct shared_table *table, uint32_t frame, uint32_t owner)
{
	(void)give(table->frame_owner, frame, owner, OWNER_NONE, &table->frame_hint);
}

uint32_t grant_ref_take(struct shared_table *table, uint32_t session)
{
	return take(table->ref_owner, SHARED_REFS, &table->ref_hint, &table->ref_top, session);
}

void grant_allow(struct shared_table *table, uint32_t ref, uint16_t domid, uint32_t frame,
		 bool readonly)
{
	grant_entry_v1_t *entry = &table->grants[ref];
	uint32_t flags = readonly ? GTF_permit_access | GTF_readonly : GTF_permit_access;

	__atomic_store_n(&entry->frame, frame, __ATOMIC_RELEASE);
	__atomic_store_n((uint32_t *)(void *)entry, (uint32_t)domid << 16 | flags,
			 __ATOMIC_SEQ_CST);
}

bool grant_revoke(struct shared_table *table, uint32_t ref)
{
	grant_entry_v1_t *entry = &table->grants[ref];
	uint32_t word = entry_word(entry);

	do {
		if (word_flags(word) & (GTF_reading | GTF_writing))
			return false;
	} while (!entry_change(entry, &word, 0));
	return true;
}

/* The reference is @owner's; its frame is too, or was deferred together with it. */
bool grant_end(struct shared_table *table, uint32_t ref, uint32_t owner)
{
	grant_entry_v1_t *entry = &table->grants[ref];
	uint32_t frame = __atomic_load_n(&entry->frame, __ATOMIC_ACQUIRE);

	if (frame >= table->frames)
		frame = 0; /* the host's: stays as it is */

	if (!grant_revoke(table, ref)) {
		(void)give(table->frame_owner, frame, owner, OWNER_DEFERRED, &table->frame_hint);
		(void)give(table->ref_owner, ref, owner, OWNER_DEFERRED, &table->ref_hint);
		atomic_store(&table->deferred, 1);
		return false;
	}
	__atomic_store_n(&entry->frame, 0, __ATOMIC_RELEASE);
	if (!give(table->frame_owner, frame, owner, OWNER_NONE, &table->frame_hint))
		(void)give(table->frame_owner, frame, OWNER_DEFERRED, OWNER_NONE,
			   &table->frame_hint);
	(void)give(table->ref_owner, ref, owner, OWNER_NONE, &table->ref_hint);
	return true;
}

void grant_reap(struct shared_table *table, uint32_t owner)
{
	uint32_t top = atomic_load(&table->ref_top);

	if (!atomic_exchange(&table->deferred, 0))
		return;
	for (uint32_t ref = SHARED_REFS_RESERVED; ref < top && ref < SHARED_REFS; ref++) {
		uint32_t deferred = OWNER_DEFERRED;

		if (atomic_compare_exchange_strong(&table->ref_owner[ref], &deferred, owner))
			(void)grant_end(table, ref, owner);
	}
}
