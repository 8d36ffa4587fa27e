/*
 * netfront.h - a network card: packets in both directions by whoever holds the device's lock.
 *
 * Sending: nettx_reserve, write the packet there, nettx_send; after a batch netfront_flush.
 * Receiving: netfront_receive until it returns 0; after a batch netfront_post.
 * One queue so far; what belongs to a queue is in struct netqueue.
 */
#pragma once

#include "frontend/core/netrx.h"
#include "frontend/core/xenbus.h"

struct netfront;

/** Called under the device's lock. None but event() may call into the device again. */
struct netfront_events {
	/* Connected, with what the backend can do, or not any more: NULL. */
	void (*carrier)(void *arg, const struct netfeatures *features);
	/* An event from the backend: receive, and send what did not fit before. Return: was
	 * there anything to do? */
	bool (*event)(void *arg);
	/* The backend broke the protocol; to be followed by netfront_leave(front, reason) where
	 * the store may be used. */
	void (*broken)(void *arg, const char *reason);
	/* Closed for ever: to be freed with netfront_destroy, but not from here. */
	void (*ended)(void *arg);
};

/**
 * netfront_create - begin to connect to a network backend.
 * @path: the device's directory in the store, such as "device/vif/0"
 *
 * Return: 0, -ENOMEM, or as xenbus_start.
 */
int netfront_create(struct platform *platform, const char *path,
		    const struct netfront_events *events, void *arg, struct netfront **front);

/** netfront_resume - the domain was restored; as xenbus_resume. What was sent may be lost. */
int netfront_resume(struct netfront *front);

/** netfront_destroy - end at once and free all. */
void netfront_destroy(struct netfront *front);

/** netfront_leave - end in order. @reason: what is wrong, or NULL; ended() tells. */
void netfront_leave(struct netfront *front, const char *reason);

/** netfront_reserve - as nettx_reserve; false also while there is no backend. */
bool netfront_reserve(struct netfront *front, struct net_chunk chunk[2]);

/** netfront_send - as nettx_send; -ENOTCONN while there is no backend. */
int netfront_send(struct netfront *front, const struct netpacket_meta *meta, size_t length);

/** netfront_flush - show what was sent to the backend and notify it if it asks for it. */
void netfront_flush(struct netfront *front);

/** netfront_reap - look for answers to what was sent. Return: was there any? */
bool netfront_reap(struct netfront *front);

/** netfront_receive - the next packet, valid until netfront_post. Return: was there one? */
bool netfront_receive(struct netfront *front, struct netrx_packet *packet);

/** netfront_post - give the pages of all packets received so far back to the backend. */
void netfront_post(struct netfront *front);

/** How many packets each side dropped as senseless. */
struct netfront_counters {
	uint64_t received_bad, sent_refused;
};

/** netfront_counters - since the device was created. */
struct netfront_counters netfront_counters(const struct netfront *front);
