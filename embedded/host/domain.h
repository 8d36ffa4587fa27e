/*
 * domain.h - a domain, as the host daemon knows it.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <xen/xen.h>

#include <xen/hvm/params.h>

#include "embedded/host/host.h"
#include "embedded/shared.h"

struct evtchn_ports;
struct process;
struct wire_domain_create;

/** How often a domain can be paused at once, as in Xen (domain_pause_by_systemcontroller). */
#define DOMAIN_PAUSES_MAX 255u

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

	/* what its toolstack said of it: operations.c */
	uint8_t handle[16];
	bool hvm;
	uint32_t ssidref;
	uint32_t max_vcpus;
	uint64_t pages, max_pages;
	uint64_t param[HVM_NR_PARAMS];

	/* its life: domain.c */
	uint32_t pauses;         /* 1 after creation; it runs when there is none */
	bool dying;              /* destroyed, as soon as its processes are gone */
	bool shutting, shutdown; /* told to end with @reason; ended with it */
	uint32_t reason;         /* SHUTDOWN_* */
	struct process *process; /* process.c; NULL until it has a program */
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

/**
 * domain_pause - stop its processes, until domain_unpause() was called as often.
 * Return: 0, -EINVAL (domain 0) or -EOVERFLOW (DOMAIN_PAUSES_MAX times already).
 */
int domain_pause(struct domain *domain);

/**
 * domain_unpause - take back one pause; the last starts its program or lets it go on.
 * Return: 0, -EINVAL (it is not paused), or what starting says; then it stays paused.
 */
int domain_unpause(struct domain *domain);

/**
 * domain_shutdown - end its processes as if it had shut itself down with @reason (SHUTDOWN_*).
 * Does nothing to one that is shut down, or about to be. Return: 0 or -EINVAL (domain 0).
 */
int domain_shutdown(struct domain *domain, uint32_t reason);

/**
 * domain_kill - destroy it.
 * Return: 0, -EINVAL (domain 0), -EAGAIN (its processes are dying; it is gone when they are).
 */
int domain_kill(struct domain *domain);

/** domain_ended - its program ended with @status of wait(2). May free @domain. */
void domain_ended(struct domain *domain, int status);

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
