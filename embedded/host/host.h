/*
 * host.h - the host daemon: what on Xen the hypervisor keeps, for one embedded host.
 *
 * The program is bin/xsplit-embedded-host, started as "--dir DIR --ready-fd FD". DIR/domN/host is
 * the socket that the libraries of domain N's processes connect to.
 *
 * main.c     command line, loop, signals
 * session.c  connections: reading requests, finding their operation, noticing death
 * memory.c   a domain's memory and table; who may open them
 * grant.c    what dies with a session: pins, grants, notifications
 * evtchn.c   event channels
 * handle.c   what processes hear of them through
 * domain.c   the life of a domain
 * process.c  the program of a process guest
 * operations.c  what may be asked about domains
 */
#pragma once

#include <event2/event.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/log.h"

struct domain;
struct session;
struct evtchn_handle;
struct grant_session;

struct host {
	struct event_base *base;
	const char *dir;
	int reserve; /* a descriptor for when there are no more */
	struct log_limit limit;
	LIST_HEAD(host_domains, domain) domains;
	LIST_HEAD(host_sessions, session) sessions;
	LIST_HEAD(host_handles, evtchn_handle) handles;
	LIST_HEAD(host_grants, grant_session) grants;
	uint32_t domid;      /* the last given to a domain */
	uint32_t serial;     /* the same */
	uint32_t session;    /* how many grant sessions there were */
	uint32_t generation; /* the last given to a port */
	uint64_t handle;     /* the last given to a handle */
};
