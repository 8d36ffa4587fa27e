/*
 * events.h - the event channels of one guest, as callbacks in the libevent loop.
 *
 * One libxenevtchn handle serves all devices (xenevtchn.h): after the sandbox closed no other could
 * be opened. A port stays masked while its handler runs, so a guest that storms us costs one pass
 * of its own ring per loop (XSA-332).
 */
#pragma once

#include <event2/event.h>
#include <stdint.h>
#include <xenevtchn.h>

/** The most ports that one guest's devices have bound together. */
#define EVENTS_MAX 4096

struct events;

/** events_handler - the guest kicked the port. It may unbind any port, this one included. */
typedef void (*events_handler)(void *arg);

/**
 * events_open - open the handle and watch it in @base.
 * Return: 0 or a negative errno. *@events is freed with events_close, before @base.
 */
int events_open(struct events **events, struct event_base *base);

/** events_close - unbind every port and close the handle; NULL is allowed. */
void events_close(struct events *events);

/**
 * events_bind - bind the guest's port.
 * @remote:  the port in the guest @domid, as it wrote it into its event-channel node
 * @handler: called from the loop; once at first even if the guest did not kick, as a newly bound
 *           port is pending in Xen
 * @local:   set to our port on success, for events_unbind and events_notify
 *
 * Return: 0, -ENOSPC (EVENTS_MAX), or what xenevtchn_bind_interdomain says.
 */
int events_bind(struct events *events, uint16_t domid, evtchn_port_t remote, events_handler handler,
		void *arg, evtchn_port_t *local);

/** events_unbind - close our port; its handler is not called any more. */
void events_unbind(struct events *events, evtchn_port_t local);

/** events_notify - kick the guest's end. Return: 0 or a negative errno (the guest may be gone). */
int events_notify(struct events *events, evtchn_port_t local);
