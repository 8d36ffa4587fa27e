/*
 * domain.h - a domain, as the host daemon knows it.
 */
#pragma once

#include <event2/event.h>
#include <stdint.h>
#include <sys/queue.h>
#include <xen/xen.h>

#include "embedded/host/host.h"
#include "embedded/shared.h"

struct evtchn_ports;

struct domain {
	LIST_ENTRY(domain) next;
	struct host *host;
	uint16_t domid;

	/* memory.c */
	uint32_t serial;
	uint32_t frames;
	int table_fd, memory_fd;
	struct shared_table *table;

	struct evtchn_ports *ports; /* evtchn.c */

	/* its socket */
	int listener;
	struct event *accept;
};

/* --- domain.c: the life of a domain --- */

/**
 * domain_create - a domain with memory, table, ports and socket, and nothing running in it.
 * @domid:  0 to DOMID_FIRST_RESERVED - 1
 * @frames: its memory, SHARED_FRAMES_RESERVED + 1 to SHARED_FRAMES_MAX
 * @made:   set on success; freed by domain_destroy()
 *
 * Return: 0, -EEXIST, -EINVAL, or what the kernel says.
 */
int domain_create(struct host *host, uint32_t domid, uint32_t frames, struct domain **made);

/** domain_destroy - close its ports, end its sessions, forget its memory (others may still map it).
 */
void domain_destroy(struct domain *domain);

/** domain_find - by number; NULL when there is none. */
struct domain *domain_find(struct host *host, uint32_t domid);

/** domain_find_serial - by serial number; NULL when it is gone. */
struct domain *domain_find_serial(struct host *host, uint32_t serial);

/** domain_resolve - the same as domain_find(), and DOMID_SELF is @self. */
struct domain *domain_resolve(struct domain *self, uint32_t domid);

/* --- memory.c --- */

/** memory_create - set the fields of a domain that are memory.c's. Return: 0 or a negative errno.
 */
int memory_create(struct domain *domain, uint32_t frames);

/** memory_destroy - mark the table as a dead domain's, its grants as revoked, and close both. */
void memory_destroy(struct domain *domain);

/* --- session.c --- */

/**
 * host_domain_socket - listen on DIR/domN/host for a domain.
 * Return: 0, -ENAMETOOLONG, or what the kernel says.
 */
int host_domain_socket(struct domain *domain);

/** host_domain_socket_close - stop listening, remove the socket, end the domain's sessions. */
void host_domain_socket_close(struct domain *domain);
