/*
 * front_blk_bench.h - a blkfront and the backend's end of its ring, for the tests of blkfront.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontend/core/blkfront.h"
#include "tests/unit/front_fake.h"

#define FRONT     "device/vbd/51712"
#define BACK      "/local/domain/0/backend/vbd/5/51712"
#define DISK_SIZE (1u << 20)

/** The backend's end, and the frontend's owner. */
struct bench {
	struct fake fake;
	struct blkfront *front;
	struct blkif_sring *shared; /* a private view of the ring's pages, which lie together */
	RING_IDX request_at, response_at;
	unsigned entries;
	uint32_t port;
	uint8_t disk[DISK_SIZE];
	/* what the owner was told */
	unsigned changes, rooms, completed;
	int ended;
	const char *broken;
};

extern struct bench bench;

/** back_put - write one of the backend's nodes, or remove it (NULL). */
void back_put(const char *name, const char *value);

/** back_state - write the backend's state, and let the frontend see it. */
void back_state(const char *state);

/** back_attach - take up the ring that the frontend offers now. */
void back_attach(void);

/** bench_open, bench_connect - a frontend before its handshake, or after it. */
void bench_open(void);
void bench_connect(void);
void bench_close(void);

/** The requests that were seen and not answered, one after the other, and their answers. */
bool back_has_request(void);
struct blkif_request back_request(void);
void back_respond(uint64_t id, uint8_t operation, int16_t status);

/** back_serve - do what a request asks for with the disk, and answer it. */
void back_serve(const struct blkif_request *request);

/** start - submit a request that there is room for. @data: what is written */
struct blkslot *start(enum blk_operation operation, uint64_t offset, uint64_t length,
		      const void *data);
