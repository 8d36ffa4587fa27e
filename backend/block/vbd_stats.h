/*
 * vbd_stats.h - the shared memory that a disk's queues count in.
 */
#pragma once

#include "backend/block/stats.h"
#include "backend/block/vbd.h"

/** Bytes of it: one struct a queue that there may be; pages that no queue uses cost nothing. */
#define VBD_STATS_SIZE (sizeof(struct stats_queue) * VBD_QUEUES_MAX)

/** The supervisor's end. */
struct vbd_stats {
	int fd; /* for the worker; sealed, so that it cannot be cut under us */
	const struct stats_queue *queue; /* VBD_QUEUES_MAX, or NULL */
};

/** vbd_stats_open - make it. Return: 0 or a negative errno; idempotent. */
int vbd_stats_open(struct vbd_stats *stats);

/** vbd_stats_close - idempotent on a zeroed one. */
void vbd_stats_close(struct vbd_stats *stats);

/**
 * vbd_stats_map - the worker's end.
 * @fd: not needed any more afterwards; -1: nobody looks
 * Return: VBD_QUEUES_MAX structs for vbd_stats_unmap, or NULL with errno set.
 */
struct stats_queue *vbd_stats_map(int fd);
void vbd_stats_unmap(struct stats_queue *queue);
