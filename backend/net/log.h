/*
 * log.h - what a vif's worker has taken from its rings and not answered, in memory that outlives
 * it.
 *
 * Responses overwrite request slots, so whoever takes a ring up after a worker that was killed
 * while it answered needs copies of those it had taken. Answers go out in the ring's order, so the
 * ring's own rsp_prod says where they end, and an index here where the copies do. What was in
 * flight may be sent twice or be lost, as packets may.
 *
 * The worker before may have been taken over by its guest: what it left is checked as the guest's.
 */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "backend/net/rx.h"
#include "backend/net/tx.h"

/** Zeroed means: no worker has had the ring yet. */
struct net_log_head {
	uint32_t begun;
	uint32_t taken;    /* requests before this index are in the copies, or answered */
	uint32_t answered; /* as far as answers are out: for whoever judges a death */
	uint32_t reserved;
};

/** The two rings of a queue; request N is in copy N modulo the ring's size. */
struct net_log {
	struct net_log_head tx, rx;
	struct netif_tx_request tx_copy[NET_TX_RING];
	struct netif_rx_request rx_copy[NET_RX_RING];
};

/**
 * net_log_attach - begin a ring's log, or take it up.
 * @produced: the ring's rsp_prod, read once
 * @ring:     slots of the ring
 *
 * Return: 0, or -EPROTO when the log contradicts the ring.
 */
static inline int net_log_attach(struct net_log_head *head, uint32_t produced, uint32_t ring)
{
	if (!head->begun) {
		__atomic_store_n(&head->taken, produced, __ATOMIC_RELEASE);
		__atomic_store_n(&head->begun, 1, __ATOMIC_RELEASE);
	}
	head->answered = produced;
	return head->taken - produced > ring ? -EPROTO : 0;
}

/** net_log_take - requests before @index are in the copies from now on. */
static inline void net_log_take(struct net_log_head *head, uint32_t index)
{
	__atomic_store_n(&head->taken, index, __ATOMIC_RELEASE);
}
