/*
 * unflushed.h - the writes that a server has answered and not yet put on stable storage.
 *
 * A server that dies may lose them: a qemu-nbd keeps a qcow2's tables in its memory until a flush.
 * So copies are kept here, in the order they were answered, until a flush that was sent later has
 * succeeded; after a connection broke they are written again. Fixed memory; no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that it holds. */
#define UNFLUSHED_SIZE (4u << 20)

/** Writes that it holds. */
#define UNFLUSHED_ENTRIES 8192u

/** The longest write: a quarter, so that some fit. */
#define UNFLUSHED_WRITE_MAX (UNFLUSHED_SIZE / 4)

struct unflushed_entry {
	uint64_t offset; /* into the disk */
	uint64_t at;     /* into the memory, counted without end */
	uint32_t length;
};

struct unflushed {
	uint8_t *memory; /* UNFLUSHED_SIZE; untouched pages cost nothing */
	struct unflushed_entry *entry;
	uint64_t first, next; /* entries there are: counted without end */
	uint64_t start, end;  /* bytes there are: the same */
	uint64_t promised;    /* bytes to come of writes under way */
	unsigned promises;
};

/** unflushed_open - empty. Return: 0 or -ENOMEM. */
int unflushed_open(struct unflushed *unflushed);

/** unflushed_close - one that was never opened is allowed when zeroed. */
void unflushed_close(struct unflushed *unflushed);

/** unflushed_promise - keep room for a write that is sent now. Return: false if there is none. */
bool unflushed_promise(struct unflushed *unflushed, uint32_t length);

/** unflushed_break - a promised write has failed. */
void unflushed_break(struct unflushed *unflushed, uint32_t length);

/** unflushed_add - a promised write was answered. */
void unflushed_add(struct unflushed *unflushed, uint64_t offset, const void *data, uint32_t length);

/** unflushed_half - is it so full that a flush is due? */
bool unflushed_half(const struct unflushed *unflushed);

/** unflushed_mark - what a flush that is sent now will cover. */
uint64_t unflushed_mark(const struct unflushed *unflushed);

/** unflushed_drop - what @mark covers is on stable storage. */
void unflushed_drop(struct unflushed *unflushed, uint64_t mark);

/**
 * unflushed_piece - a run of bytes in one piece to write again.
 * @n:    the entry's number, unflushed->first to unflushed_mark() - 1
 * @done: so many bytes of it are done; moved on over those that a later entry has too, for what
 *        was overwritten must not come back, not even until that one's turn
 * @data: set; valid until something is added or dropped
 *
 * Return: how many bytes; 0: the entry is done.
 */
uint32_t unflushed_piece(const struct unflushed *unflushed, uint64_t n, uint32_t *done,
			 uint64_t *offset, uint8_t **data);
