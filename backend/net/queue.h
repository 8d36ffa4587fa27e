/*
 * queue.h - one queue of a vif: a TX ring, an RX ring, their event channels and a queue of the TAP.
 *
 * Runs in the worker's loop. Each callback makes one bounded pass and lets the loop go on to the
 * others. A ring whose guest breaks the protocol is stopped, reported once and stays stopped until
 * the guest reconnects.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend/net/log.h"
#include "backend/net/offload.h"
#include "backend/net/rate.h"
#include "backend/worker/worker.h"

struct net_queue;

/** Where a queue's parts are, checked by the supervisor. */
struct net_queue_config {
	unsigned int index;
	uint32_t tx_ref, rx_ref;
	uint32_t tx_port, rx_port; /* the guest's; equal when one channel serves both rings */
	bool rx_notify;            /* the guest kicks when it posts RX requests */
	struct net_features features;
	struct net_rate *rate; /* of packets from the guest; stays the caller's; NULL: no limit */
	int tap;               /* non-blocking; stays the caller's */
	struct net_log *log;   /* stays the caller's */
};

/**
 * net_queue_open - map, bind and run a queue, from where a worker before us was killed if there was
 * one; then the guest is kicked once, as that worker may not have done it.
 * @queue: set on success; freed with net_queue_close
 *
 * Return: 0, or a negative errno after worker_fail has said why; nothing is left behind.
 */
int net_queue_open(struct net_queue **queue, struct worker_device *dev,
		   const struct net_queue_config *config);

/** net_queue_close - stop, unbind, unmap and free; NULL is allowed. */
void net_queue_close(struct net_queue *queue);
