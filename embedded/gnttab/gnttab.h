/*
 * gnttab.h - inside of libxengnttab: a handle of either kind.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <xengnttab.h>

#include "embedded/client.h"
#include "embedded/grant.h"
#include "embedded/wire.h"

/** A domain whose pages we use. */
struct gnt_domain {
	struct client_domain mapped;
	char *memory; /* all of it, for copies; NULL until the first */
	unsigned int users;
	struct gnt_domain *next;
};

/** One pin of ours. */
struct gnt_pin {
	struct gnt_domain *domain;
	struct maptrack_slot *slot;
	uint32_t frame;
};

/** A notification that is set up; flags are 0 when there is none. */
struct gnt_notify {
	uint32_t flags;
	uint32_t id;    /* wire_grant_notify_set.id */
	uint32_t index; /* of the byte, from the start of the mapping */
};

/** What xengnttab_map_* returned. */
struct gnt_map {
	struct gnt_map *next;
	char *address;
	uint32_t count;
	struct gnt_notify notify;
	struct gnt_pin pin[];
};

/** What xengntshr_share_* returned. */
struct gnt_area {
	struct gnt_area *next;
	char *address;
	uint32_t count;
	struct gnt_notify notify;
	uint32_t ref[];
};

struct xengntdev_handle {
	struct xentoollog_logger *logger;
	struct client client;
	struct maptrack *maptrack;
	struct grant_user user;
	struct client_domain own;
	pid_t pid; /* the only one that may use it */

	pthread_mutex_t lock; /* of all below */
	uint32_t *slots;      /* indices of free maptrack slots... */
	uint32_t slot_count;  /* ...this many, besides all above maptrack->top */
	struct gnt_domain *domains;
	struct gnt_map *maps;
	struct gnt_area *areas;
};

/** gnt_log - tell the handle's logger, if it was given one, what failed with @errnum. */
void gnt_log(xengnttab_handle *xgt, int errnum, const char *what);

/**
 * gnt_pin_take - pin a page that @domid granted us.
 * Return: GNTST_*, as grant_pin(), or GNTST_no_device_space: too many pins; no memory.
 */
int16_t gnt_pin_take(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, bool write,
		     struct gnt_pin *pin);

/** gnt_pin_release - give it back. */
void gnt_pin_release(xengnttab_handle *xgt, struct gnt_pin *pin);

/** gnt_pin_memory - the pinned page in this process's copy window, or NULL: no memory. */
char *gnt_pin_memory(xengnttab_handle *xgt, struct gnt_pin *pin);

/**
 * gnt_map_frames - map frames of a domain's memory side by side.
 * @frame: fetches the number of the Nth one and the descriptor of the memory it is in
 *
 * Return: the address, for munmap(2); or NULL with errno set.
 */
char *gnt_map_frames(uint32_t count, int prot,
		     uint32_t (*frame)(const void *arg, uint32_t n, int *memory), const void *arg);

/**
 * gnt_notify_set - have the daemon notify the other side when we end.
 * @serial, @frame: the page the byte is in
 * @index:  of the byte from the start of the mapping; @port: or -1
 *
 * Return: 0 (also when neither is asked for), or a negative errno.
 */
int gnt_notify_set(xengnttab_handle *xgt, uint32_t serial, uint32_t frame, uint32_t index,
		   evtchn_port_t port, uint32_t size, struct gnt_notify *notify);

/** gnt_notify_byte - clear the byte, the mapping being at @address. */
void gnt_notify_byte(struct gnt_notify *notify, char *address);

/** gnt_notify_event - send the event, and forget the notification. */
void gnt_notify_event(xengnttab_handle *xgt, struct gnt_notify *notify);

/** gnt_map_end, gnt_area_end - undo one mapping that is not in its list any more. */
void gnt_map_end(xengnttab_handle *xgt, struct gnt_map *map);
void gnt_area_end(xengnttab_handle *xgt, struct gnt_area *area);
