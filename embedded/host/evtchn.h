/*
 * evtchn.h - event channels as Xen's common/event_channel.c keeps them.
 *
 * A port is private to the daemon but for its shared_port (shared.h), through which libraries
 * find the peer without asking. Functions return -EINVAL for a port out of range or not in the
 * state that they need.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "embedded/host/domain.h"

struct evtchn_handle;
struct wire_evtchn_state;

/** evtchn_create - no ports yet. Return: 0 or -ENOMEM. */
int evtchn_create(struct domain *domain);

/** evtchn_destroy - close all handles and ports of the domain; its peers' ports are unbound again.
 */
void evtchn_destroy(struct domain *domain);

/**
 * evtchn_alloc_unbound - a port of @domain that domain @remote may bind to.
 * @handle: whose it is; NULL: nobody's, masked, until evtchn_adopt()
 *
 * Return: the port, or -ENOSPC.
 */
int evtchn_alloc_unbound(struct domain *domain, struct evtchn_handle *handle, uint16_t remote);

/**
 * evtchn_bind_interdomain - a port bound to an unbound one of @remote that allows @domain.
 * It starts pending: events sent to the other while it was unbound were lost.
 *
 * Return: the port, -EINVAL or -ENOSPC.
 */
int evtchn_bind_interdomain(struct domain *domain, struct evtchn_handle *handle,
			    struct domain *remote, uint32_t remote_port);

/** evtchn_bind_virq - a port for a virtual interrupt. Return: the port, -EINVAL, -EEXIST, -ENOSPC.
 */
int evtchn_bind_virq(struct domain *domain, struct evtchn_handle *handle, uint32_t virq);

/** evtchn_adopt - give a port that has no handle to @handle and unmask it. Return: 0 or -EINVAL. */
int evtchn_adopt(struct domain *domain, struct evtchn_handle *handle, uint32_t port);

/**
 * evtchn_close - give a port up. While somebody holds it (evtchn_get) it stays connected without a
 * handle; then the peer, if any, becomes unbound and may be bound to again.
 * @handle: that it must belong to; NULL: to none
 *
 * Return: 0, -EINVAL (out of range), -ENOTCONN (no such port, or not this handle's).
 */
int evtchn_close(struct domain *domain, struct evtchn_handle *handle, uint32_t port);

/** evtchn_close_all - give up all ports of a handle, which is gone. */
void evtchn_close_all(struct domain *domain, struct evtchn_handle *handle);

/** evtchn_get - hold a port that some handle has, for a notification. Return: 0 or -EINVAL. */
int evtchn_get(struct domain *domain, uint32_t port);

/** evtchn_put - let it go; after the domain's end this does nothing. */
void evtchn_put(struct domain *domain, uint32_t port);

/** evtchn_send - an event to the peer of a port; none when it has no peer. */
void evtchn_send(struct domain *domain, uint32_t port);

/**
 * evtchn_status - what EVTCHNOP_status of Xen tells of a port.
 * @status: its fields but rc are set on success
 *
 * Return: 0 or -EINVAL (out of range).
 */
int evtchn_status(const struct domain *domain, uint32_t port, struct wire_evtchn_state *status);

/** evtchn_virq - raise a virtual interrupt in whoever bound it; nobody: nothing. */
void evtchn_virq(struct domain *domain, uint32_t virq);
