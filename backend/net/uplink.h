/*
 * uplink.h - the TAP behind a vif, and the bridge it is in.
 *
 * Runs as root in the supervisor. The TAP lives as long as its first descriptor; the worker gets
 * copies. Each function that fails leaves a line in uplink->error: what is wrong and the remedy.
 * Manuals: linux/Documentation/networking/tuntap.rst; libnl-route-3.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/** The most queues of one TAP; as many descriptors fit into a message to the worker. */
#define UPLINK_QUEUES_MAX 8

/** A TAP; zeroed before the first use. */
struct uplink {
	char name[IFNAMSIZ];       /* empty: there is none */
	size_t queues;             /* open descriptors; the first stays until uplink_close */
	bool started;              /* a frontend has it */
	int fd[UPLINK_QUEUES_MAX]; /* non-blocking, each read and write is a virtio_net_hdr and a
				      packet */
	char error[200];
};

/**
 * uplink_open - make the TAP, without carrier, with one queue.
 * @name: 1 to 15 bytes; no interface may have it
 * @mtu:  bytes of payload
 *
 * It gets the address fe:ff:ff:ff:ff:ff, the highest there is, so that a bridge does not take it
 * for its own.
 *
 * Return: 0; -EINVAL (no name for an interface, or no MTU), -EBUSY (name taken), -ENOENT or
 * -ENODEV (no TUN in this kernel), or what the kernel says.
 */
int uplink_open(struct uplink *uplink, const char *name, unsigned int mtu);

/**
 * uplink_join - put it into a bridge and bring it up.
 * @bridge: or NULL, to bring it up alone
 *
 * Return: 0; -ENODEV (no such bridge), or what the kernel says.
 */
int uplink_join(struct uplink *uplink, const char *bridge);

/**
 * uplink_start - make it ready for a frontend: so many queues, the kernel's offloads, nothing left
 * of the packets for the frontend before, and then carrier. Again for the same frontend, the
 * packets stay.
 * @queues: 1 to UPLINK_QUEUES_MAX
 * @tun:    TUN_F_* of TUNSETOFFLOAD
 *
 * Return: 0 or a negative errno; call uplink_stop in both cases.
 */
int uplink_start(struct uplink *uplink, size_t queues, unsigned int tun);

/** uplink_stop - take the carrier, close all queues but the first. Idempotent. */
void uplink_stop(struct uplink *uplink);

/** uplink_close - remove the TAP; idempotent. */
void uplink_close(struct uplink *uplink);
