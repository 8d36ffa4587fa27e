/*
 * blkfront_parts.h - what the files of a blkfront share: blkfront.c, how it comes to its rings and
 * parts from them, and blkfront_requests.c, what goes over them.
 *
 * None of it is for who uses a disk: theirs is blkfront.h.
 */
#pragma once

#include "frontend/core/blkfront.h"

#ifndef ERESTART
#define ERESTART 85
#endif

struct blkfront {
	struct xenbus_device device; /* first: the driver's functions get it */
	const struct blkfront_events *events;
	void *arg;
	struct platform_event *event;
	struct blkinfo info;
	bool connected, broken;
	bool wanting;   /* somebody was told -EAGAIN */
	uint32_t order; /* of the ring */
	uint32_t used;  /* slots that are not free */
	uint32_t epoch; /* counts rings */
	uint32_t held_epoch[BLK_SLOTS];
	uint16_t free_slot[BLK_SLOTS];
	struct blkpool pool;
	struct blkring ring;
};

/** blkfront_room - tell who was told -EAGAIN that there may be room now. */
void blkfront_room(struct blkfront *front);

/** blkfront_fail - complete what is on the ring with @status, a negative errno. */
void blkfront_fail(struct blkfront *front, int status);

/** blkfront_event - @arg's backend has notified. Return: was there an answer? */
bool blkfront_event(void *arg);
