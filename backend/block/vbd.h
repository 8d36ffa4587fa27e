/*
 * vbd.h - the block class of the backend: what the supervisor tells the worker, and both halves.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/block/inflight.h"
#include "backend/block/remote.h"
#include "backend/block/request.h"
#include "backend/block/settings.h"
#include "backend/worker/worker.h"
#include "backend/xenbus/device.h"

/** What we publish as max-ring-page-order; and as multi-queue-max-queues: a queue for each of the
 * guest's vcpus, as far as that is between these two. */
#define VBD_ORDER_MAX  4u
#define VBD_QUEUES_MIN 4u
#define VBD_QUEUES_MAX 16u

/** A disk that comes over NBD; the worker wants its connections by their numbers. */
struct vbd_remote {
	uint32_t connections; /* 0: the disk is another */
	uint32_t length_max;  /* bytes of a request at most, 0: not said */
	char export[REMOTE_EXPORT_MAX + 1];
};

/** The payload of a connect request. The descriptors, as far as they are there, in this order: the
 * in-flight log; the memory for statistics; the image. */
struct vbd_connect {
	struct blk_geometry geometry;
	struct vbd_remote remote;
	struct settings settings;
	bool journal;       /* else a dying worker takes what is in flight along */
	bool stats;         /* else nobody looks */
	bool image;         /* else remote, or the null engine */
	uint32_t alignment; /* of the image's or server's requests, bytes: 512 or more */
	bool persistent;    /* the guest uses the same grants again */
	bool careful;       /* replay one request after the other */
	uint32_t abi;       /* enum blk_abi */
	uint32_t order;     /* 1 << order pages a ring */
	uint32_t queues;    /* 1 to VBD_QUEUES_MAX */
	struct {
		uint32_t ref[1u << VBD_ORDER_MAX];
		uint32_t port; /* the guest's */
	} queue[VBD_QUEUES_MAX];
};
static_assert(sizeof(struct vbd_connect) <= WORKER_PAYLOAD_SIZE, "too large for a message");

enum vbd_change_kind {
	VBD_CHANGE_SETTINGS = 1, /* settings; answered, if paused, when nothing runs */
	VBD_CHANGE_DUMP,         /* the descriptor is memory for struct dump and its queues */
	VBD_CHANGE_GEOMETRY,     /* geometry; what runs is finished before a smaller one */
	VBD_CHANGE_CONNECTION,   /* connection; the descriptor is the one that was wanted */
};

/** The payload of a change request. */
struct vbd_change {
	uint32_t kind;       /* enum vbd_change_kind */
	uint32_t connection; /* of CONNECTION */
	struct settings settings;
	struct blk_geometry geometry;
};
static_assert(sizeof(struct vbd_change) <= WORKER_PAYLOAD_SIZE, "too large for a message");
/** vbd_ring_journal - bytes of each ring's in-flight log; the file has them one after the other. */
size_t vbd_ring_journal(const struct vbd_connect *connect);

/** The supervisor's half: vbd_device.c. */
extern const struct device_class vbd_device_class;

/** The worker's half: vbd_worker.c. */
extern const struct worker_class vbd_worker_class;
