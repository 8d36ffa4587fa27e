/*
 * merge.h - which requests go to the storage as one operation. Pure.
 *
 * A frontend that knows no indirect requests cuts what it is given into pieces of 44 KiB, and a
 * queue's pool puts the data of one behind the other's; so what belongs together lies together, on
 * the disk and in memory, and needs no list of pieces.
 */
#pragma once

#include <stdbool.h>

#include "backend/block/request.h"

/** The most bytes of one operation. */
#define MERGE_MAX BLK_LENGTH_MAX

/** A run of requests, to which more can be joined. */
struct merge {
	enum blk_op op;
	uint64_t offset, length; /* bytes on the disk */
	const uint8_t *data;     /* all of it in a row */
};

/** merge_begin - a run of one request, whose data is at @data. */
struct merge merge_begin(const struct blk_request *request, const uint8_t *data);

/**
 * merge_join - add a request at the run's end, if it reads or writes just what follows there, on
 * the disk and in memory, and the run does not get longer than MERGE_MAX. Return: was it added?
 */
bool merge_join(struct merge *merge, const struct blk_request *request, const uint8_t *data);
