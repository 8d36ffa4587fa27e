/*
 * disk_internal.h - what disk.c and disk_transfer.c share.
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "frontend/process/disk.h"
#include "frontend/process/host.h"

/** So many requests of one transfer are under way at once: enough to keep copies and I/O apart. */
#define PIECES_MAX 4

struct disk {
	struct host host;
	struct event_base *base;
	struct event *woken;
	int wake; /* eventfd */
	struct blkfront *front;
	void (*ended)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_cond_t changed; /* connected, room, ended */
	bool leaving;
	bool finished; /* the device has ended */
	bool dead;     /* the loop has ended: nothing will come any more */
	const char *broken;
	struct piece *completed; /* to be told so; the loop's thread only */
};

/** One request of a transfer. */
struct piece {
	struct transfer *transfer;
	struct blkslot *slot; /* NULL: free */
	atomic_bool done;
	uint64_t at, length; /* of the transfer's bytes */
	struct piece *next;  /* in disk.completed */
};

/** One call of disk_transfer. */
struct transfer {
	struct disk *disk;
	enum blk_operation operation;
	uint8_t *buffer;
	uint64_t offset, length;
	uint64_t next; /* bytes that were put into pieces */
	bool begun;    /* a flush has no bytes to tell */
	unsigned under_way;
	int error;
	bool restart; /* the ring was lost: do all of it again */
	sem_t done;   /* counts pieces */
	struct piece piece[PIECES_MAX];
};
