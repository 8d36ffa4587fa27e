/*
 * evtchn.h - event channels: bound, dispatched, masked, moved, throttled, made anew.
 *
 * A channel is a struct of its owner's; its port number changes when it is bound anew after a
 * resume or reset. Follows xen/event_channel.h.
 *
 * The dispatcher clears an event before it calls the handler, so one that comes meanwhile is
 * handled again. A handler never runs on two vcpus at once: an event that finds it running makes
 * the runner go round again. Unmasking looks again for what came while masked. A port that fires
 * without end is masked for a while (XSA-332, XSA-391).
 */
#pragma once

#include "pvh-timer/anomalies.h"
#include "pvh-timer/host.h"
#include "pvh-timer/xen.h"

/** So often a port is handled in one upcall before it is held. */
#define EVTCHN_BURST       64u
/** So many useless events in a row are free; then each holds the port for 2, 4, ... ms. */
#define EVTCHN_IDLE_FREE   64u
#define EVTCHN_HOLD_MS_MAX 32u
/** Rounds of one upcall before the vcpu gets to run something else. */
#define EVTCHN_ROUNDS      128u

enum evtchn_kind {
	EVTCHN_CLOSED,
	EVTCHN_VIRQ,
	EVTCHN_IPI,
	EVTCHN_UNBOUND, /* somebody else binds the other end */
	EVTCHN_INTERDOMAIN,
	EVTCHN_ADOPTED, /* made by the toolstack: store and console */
};

/** Owned by whoever binds it; not to be freed before evtchn_close returned. */
struct evtchn_channel {
	/* Set by the owner before it binds. */
	bool (*handler)(void *arg); /* with interrupts off; false: there was nothing to do */
	void *arg;
	uint8_t priority; /* 0 the highest to 15; only with the FIFO ABI */
	bool late;        /* stays masked after each event until evtchn_done */

	/* To be read. */
	enum evtchn_kind kind;
	uint32_t port;
	uint32_t vcpu;

	/* The library's. */
	uint32_t flags;
	uint32_t detail; /* the VIRQ, or the port of the other side */
	uint16_t remote;
	uint32_t pass, burst, idle;
	uint64_t until; /* held so long, ns */
	struct evtchn_channel *next;
};

struct evtchn;

/** One of the two layouts of pending and mask bits. */
struct evtchn_abi {
	const char *name;
	uint32_t ports; /* the first that does not exist */
	int (*vcpu_start)(struct evtchn *evtchn, unsigned vcpu);
	int (*port_start)(struct evtchn *evtchn, uint32_t port);
	bool (*pending)(struct evtchn *evtchn, uint32_t port);
	bool (*clear)(struct evtchn *evtchn, uint32_t port); /* was it pending? */
	void (*pend)(struct evtchn *evtchn, uint32_t port);
	void (*mask)(struct evtchn *evtchn, uint32_t port);
	/* Return: must Xen be asked to unmask, so that it looks for what is pending? */
	bool (*unmask)(struct evtchn *evtchn, uint32_t port);
	/* Call evtchn_handle for what is pending; return how many. */
	unsigned (*scan)(struct evtchn *evtchn, unsigned vcpu);
	/* Is it pending and unmasked, and nobody was told? */
	bool (*stuck)(struct evtchn *evtchn, uint32_t port, unsigned vcpu);
	void (*priority_set)(struct evtchn *evtchn, uint32_t port, uint8_t priority);
};

extern const struct evtchn_abi evtchn_abi_2l, evtchn_abi_fifo;

#define EVTCHN_TABLE_PAGES 256u /* of 512 pointers: all ports of the FIFO ABI */
#define EVTCHN_ARRAY_PAGES 128u /* of 1024 event words: the same */

struct evtchn_vcpu {
	struct vcpu_info *info;
	uint32_t busy; /* odd: inside the dispatcher */
	uint32_t pass; /* the n-th upcall */
	uint32_t next; /* 2-level: where the next scan begins */
	struct evtchn_fifo_control_block *control;
	uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
};

struct evtchn {
	struct pvh_host *host;
	struct anomalies *anomalies;
	const struct evtchn_abi *abi; /* NULL: not started */
	struct shared_info *shared;
	unsigned vcpus;
	bool fifo_refused; /* do not try: the host hides it, or the user wants 2-level */
	uint32_t held;     /* how many channels are held */
	struct evtchn_vcpu vcpu[PVH_VCPUS_MAX];
	struct evtchn_channel **table[EVTCHN_TABLE_PAGES];
	uint32_t *array[EVTCHN_ARRAY_PAGES];
	uint32_t array_pages;
	struct evtchn_channel *channels;
};

/**
 * evtchn_start - choose the ABI and set it up on all vcpus, before anything is bound.
 * @evtchn: .host, .anomalies, .shared, .vcpus and each .vcpu[].info set; pages it holds from
 *          before are used again
 *
 * FIFO is tried first; when Xen refuses it for the first vcpu, it is 2-level. All ports are
 * masked. Return: 0, -ENOMEM, or what Xen says.
 */
int evtchn_start(struct evtchn *evtchn);

/**
 * evtchn_bind_* - make a channel, unmasked. @channel's handler, arg, priority and late are set, the
 * rest is zero. Return: 0, -ENOMEM, -ENOSPC (no port), or what Xen says; nothing is left then.
 */
int evtchn_bind_virq(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t virq,
		     unsigned vcpu);
int evtchn_bind_ipi(struct evtchn *evtchn, struct evtchn_channel *channel, unsigned vcpu);
int evtchn_bind_unbound(struct evtchn *evtchn, struct evtchn_channel *channel, uint16_t remote);
int evtchn_bind_interdomain(struct evtchn *evtchn, struct evtchn_channel *channel, uint16_t remote,
			    uint32_t port);

/** evtchn_adopt - take over a port that exists. It counts as pending: its handler runs once. */
int evtchn_adopt(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t port);

/** evtchn_close - afterwards its handler does not run and will not. Not from a handler. */
void evtchn_close(struct evtchn *evtchn, struct evtchn_channel *channel);

/** evtchn_move - handle it on @vcpu from now on. Return: 0, -EINVAL (it is pinned), ... */
int evtchn_move(struct evtchn *evtchn, struct evtchn_channel *channel, unsigned vcpu);

/** evtchn_send - Return: 0 or what Xen says. From any context. */
int evtchn_send(struct evtchn *evtchn, const struct evtchn_channel *channel);

/** evtchn_mask, evtchn_unmask - from any context. What comes while masked is kept. */
void evtchn_mask(struct evtchn *evtchn, struct evtchn_channel *channel);
void evtchn_unmask(struct evtchn *evtchn, struct evtchn_channel *channel);

/** evtchn_done - the work of a late channel's event is done. @useful: was there any? */
void evtchn_done(struct evtchn *evtchn, struct evtchn_channel *channel, bool useful);

/**
 * evtchn_dispatch - handle all that is pending for @vcpu, the caller's; interrupts are off.
 * Return: how many events. More may be left (evtchn_waiting) after EVTCHN_ROUNDS rounds.
 */
unsigned evtchn_dispatch(struct evtchn *evtchn, unsigned vcpu);

/** evtchn_waiting - is there an upcall for @vcpu that was not taken? */
bool evtchn_waiting(const struct evtchn *evtchn, unsigned vcpu);

/** evtchn_handle - for an ABI's scan: one event, which it has cleared. */
void evtchn_handle(struct evtchn *evtchn, uint32_t port, unsigned vcpu);

/** evtchn_channel_of - for an ABI's scan: who has bound @port, or NULL. */
struct evtchn_channel *evtchn_channel_of(const struct evtchn *evtchn, uint32_t port);

/**
 * evtchn_tick - let go what was held long enough; the host calls it within a few ms when something
 * is, with interrupts off.
 * @now: ns of the host's clock. Return: are any left?
 */
bool evtchn_tick(struct evtchn *evtchn, uint64_t now);

/**
 * evtchn_rebind - after a resume or reset, while no other vcpu dispatches: start anew, bind VIRQs
 * and IPIs again. Channels to other domains are closed (kind EVTCHN_CLOSED) and their owners' to
 * make anew, as those adopted. Return: 0 or the first error; the others were tried all the same.
 */
int evtchn_rebind(struct evtchn *evtchn);

/**
 * evtchn_bound - is a VIRQ or an IPI still bound as it was? Only the domain itself binds them, so
 * after a resume this is the old domain, with all its ports, and not one made anew.
 */
bool evtchn_bound(struct evtchn *evtchn);

/**
 * evtchn_reset - close all ports, return to the 2-level ABI, and begin again (for kexec). The
 * other sides of adopted channels are asked for before and bound again after; the parameters
 * that name the store's and the console's ports are told the new numbers. No other vcpu
 * dispatches meanwhile.
 * Return: 0, or the first error.
 */
int evtchn_reset(struct evtchn *evtchn);

/**
 * evtchn_check - compare every binding with Xen's (EVTCHNOP_status), and look on this vcpu for
 * events that nobody was told of; those are sent again and counted. Interrupts are off.
 * Return: how many were wrong.
 */
unsigned evtchn_check(struct evtchn *evtchn);
