/*
 * evtchn.h - event channels as Xen's event_channel.c keeps them, and the handles of processes
 * (Linux's /dev/xen/evtchn) that hear of them.
 */
#pragma once

#include <stdint.h>

#include "embedded/host/domain.h"

/** evtchn_create - no ports yet. Return: 0 or -ENOMEM. */
int evtchn_create(struct domain *domain);

/** evtchn_destroy - close all ports of the domain; its peers' ports are unbound again. */
void evtchn_destroy(struct domain *domain);

/**
 * evtchn_alloc_unbound - a port of @domain that domain @remote may bind to, without a handle.
 * Return: the port, or -ENOSPC.
 */
int evtchn_alloc_unbound(struct domain *domain, uint16_t remote);

/**
 * evtchn_close - close a port that has no handle (of alloc_unbound, not adopted yet).
 * Return: 0, -EINVAL (no such port), -EBUSY (a handle has it).
 */
int evtchn_close(struct domain *domain, uint32_t port);

/** evtchn_virq - raise a virtual interrupt (VIRQ_DOM_EXC) in whoever bound it; nobody: nothing. */
void evtchn_virq(struct domain *domain, uint32_t virq);
