/*
 * interface.h - inside of libxenctrl and libxenguest: what an xc_interface is.
 *
 * Functions of xenctrl.h and xenguest.h return -1 with errno set, or what their header says; the
 * helpers here turn the negative errno of our own calls into that.
 */
#pragma once

#define __XEN_TOOLS__ 1
#include <sys/types.h>
#include <xenctrl.h>
#include <xentoollog.h>

#include "embedded/client.h"
#include "embedded/wire.h"

struct xc_interface_core {
	struct client client;
	pid_t pid; /* whose connection it is: a child that forked off needs one of its own */
	unsigned int flags;
	xentoollog_logger *logger, *own_logger; /* own_logger: to be destroyed with us, or NULL */
	xentoollog_logger *builder_logger;
	xc_error last_error;
};

/** interface_fail - set errno from a negative one. Return: -1. */
int interface_fail(int rc);

/** interface_client - the connection of this process. Return: NULL with errno set when there is
 * none. */
struct client *interface_client(xc_interface *xch);

/** interface_call - a request without descriptors. Return: 0, or -1 with errno set. */
int interface_call(xc_interface *xch, const void *request, size_t request_size, void *reply,
		   size_t reply_size);

/** interface_set - WIRE_DOMAIN_SET of a number. Return: 0, or -1 with errno set. */
int interface_set(xc_interface *xch, uint32_t domid, enum wire_domain_item item, uint64_t value);

/** interface_report - an error in words, to the caller's logger. Keeps errno. */
void interface_report(xc_interface *xch, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
