/*
 * inflight.h - what a ring's worker has taken and not answered, in memory that outlives the worker.
 *
 * Pure but for the shared memory it is given. Responses overwrite request slots (xen/io/ring.h) and
 * ids are not unique, so each request taken is kept here as a copy with its place in the ring's
 * order, until its answer is out. Whoever is killed between any two stores leaves a log from
 * which the next one knows exactly what is unanswered:
 *
 *   taking     the copies are written, then @taken says that they count
 *   answering  the entries are marked, @pushing says how far the answers reach, the ring's own
 *              rsp_prod makes them so (the one store that the guest sees), the entries are freed,
 *              @answered follows
 *
 * The worker before may have been taken over by its guest: what it left is checked as the guest's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/block/request.h"

/** The most entries of a ring: one for each of its slots. */
#define INFLIGHT_ENTRIES_MAX 512u

enum inflight_state { INFLIGHT_FREE, INFLIGHT_TAKEN, INFLIGHT_ANSWERING };

/** A request; a worker uses entry n for its own slot n, in any order. */
struct inflight_entry {
	uint64_t sequence; /* counts the ring's requests; the low 32 bits are its index */
	uint32_t state;    /* enum inflight_state */
	uint32_t reserved;
	union blk_wire wire;
};

/** The shared memory. Zeroed means: no worker has had the ring yet. */
struct inflight_ring {
	uint32_t magic;
	uint32_t entries;
	uint64_t taken;    /* requests before this are here or answered */
	uint64_t answered; /* answers before this are out, and their entries free */
	uint64_t pushing;  /* the same when the guest has seen the answers under way */
	uint32_t stopped;  /* the guest broke the ring's rules: no worker takes it up again */
	uint32_t reserved[7];
	struct inflight_entry entry[];
};

/** A worker's hold of it. */
struct inflight {
	struct inflight_ring *shared;
	unsigned entries;
	uint64_t next;      /* sequence of the next request to be taken */
	unsigned answering; /* entries in slot[] */
	uint16_t slot[INFLIGHT_ENTRIES_MAX];
};

/** inflight_size - bytes of a ring's log, a multiple of 64. */
size_t inflight_size(unsigned entries);

/** inflight_is_begun - has a worker had the ring before? */
bool inflight_is_begun(const void *memory);

/**
 * inflight_attach - begin the log, or take it up where the worker before was stopped.
 * @memory:   inflight_size(@entries) bytes, 8-aligned
 * @entries:  a power of two, at most INFLIGHT_ENTRIES_MAX
 * @produced: the ring's rsp_prod, read once
 *
 * Killed in here, too, it leaves a log as good as before.
 *
 * Return: 0, or -EPROTO when the log contradicts the ring or itself.
 */
int inflight_attach(struct inflight *inflight, void *memory, unsigned entries, uint32_t produced);

/**
 * inflight_unanswered - the entries that are to be answered, in the ring's order.
 * @slots: room for all entries
 * Return: how many.
 */
unsigned inflight_unanswered(const struct inflight *inflight, uint16_t *slots);

/** inflight_wire - the copy that entry @slot keeps. */
union blk_wire *inflight_wire(const struct inflight *inflight, unsigned slot);

/** inflight_take - the next request of the ring goes into the free entry @slot; the caller copies
 * it to where this points. It counts from inflight_taken on. */
union blk_wire *inflight_take(struct inflight *inflight, unsigned slot);
void inflight_taken(struct inflight *inflight);

/** inflight_answer - the answer of @slot is being put into the ring. */
void inflight_answer(struct inflight *inflight, unsigned slot);

/** inflight_pushing, inflight_pushed - right before and right after the ring's rsp_prod shows the
 * answers. */
void inflight_pushing(struct inflight *inflight);
void inflight_pushed(struct inflight *inflight);

/** inflight_stop - note that the ring is stopped for good. */
void inflight_stop(struct inflight *inflight);

/**
 * inflight_progress - what a log in another process's hands says, for whoever judges a death.
 * @ring: a private copy of the head
 * @answered: set to a number that grows with each answer
 *
 * Return: how many requests are unanswered; nothing here is checked.
 */
uint64_t inflight_progress(const struct inflight_ring *ring, uint64_t *answered);
