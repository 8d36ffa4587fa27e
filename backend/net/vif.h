/*
 * vif.h - the net class of the backend: what the supervisor tells the worker, and both halves.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/net/offload.h"
#include "backend/net/rate.h"
#include "backend/net/uplink.h"
#include "backend/worker/worker.h"
#include "backend/xenbus/device.h"

/** The most queues that we offer as multi-queue-max-queues; a descriptor of the TAP for each. */
#define VIF_QUEUES_MAX UPLINK_QUEUES_MAX

/** The payload of a connect request. The descriptors: the file of a struct net_log for each queue,
 * if there is one; the TAP's queues, in the same order. */
struct vif_connect {
	bool journal; /* else a dying worker's rings cannot be taken up */
	struct net_features features;
	bool rx_notify;
	struct net_rate rate;
	uint32_t queues; /* 1 to VIF_QUEUES_MAX */
	struct {
		uint32_t tx_ref, rx_ref;
		uint32_t tx_port, rx_port; /* equal when one channel serves both */
	} queue[VIF_QUEUES_MAX];
};
static_assert(sizeof(struct vif_connect) <= WORKER_PAYLOAD_SIZE, "too large for a message");

/** The supervisor's half: vif_device.c. */
extern const struct device_class vif_device_class;

/** The worker's half: vif_worker.c. */
extern const struct worker_class vif_worker_class;
