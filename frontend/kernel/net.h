/*
 * net.h - the domain's first network card through frontend/core's netfront, and enough of ARP and
 * ICMP to ask a neighbour for an echo.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** IPv4 addresses, the first byte the highest. */
struct net_addresses {
	uint32_t own, peer;
};

/** net_open - find it and connect. Return: 0, -ENODEV (there is none), -ETIMEDOUT, ... */
int net_open(const struct net_addresses *addresses);

/** net_find - ask who has the peer's address. Return: 0 or -ETIMEDOUT. */
int net_find(void);

/**
 * net_ping - send an echo request with @length bytes of payload (at most 1472), and wait for the
 * answer. Return: 0, -ETIMEDOUT, -EBADMSG (other bytes came back), -ENOBUFS, or what netfront says.
 */
int net_ping(uint16_t sequence, size_t length);

/** net_resume - the domain was restored: begin to connect again, before store_watches is called.
 * Return: as net_open. */
int net_resume(void);

/** net_close - in order. */
void net_close(void);
