/*
 * stream.h - a domain's memory and processors, out of Xen into a stream and back.
 *
 * The stream is libxc's own (docs/specs/libxc-migration-stream.pandoc). Both calls take as long as
 * the memory takes to write or read and cannot be interrupted but by ending the process: run them
 * in one of their own (domain/helper.h).
 */
#pragma once

#include "toolstack/xen/xen.h"

/** How far a stream is; counts are of pages, @total 0 when nobody knows. */
typedef void (*xen_progress)(const char *doing, unsigned long done, unsigned long total, void *arg);

/** What saving asks of its caller, each returns 0 or a negative errno. */
struct xen_save_calls {
	int (*suspend)(void *arg);           /* stop the guest, at the end of a live copy */
	int (*logdirty)(bool on, void *arg); /* HVM: the device model shall tell what it writes */
	xen_progress progress;               /* may be NULL */
	void *arg;
};

/**
 * xen_domain_save - write a domain to @fd.
 * @live: copy while it runs, and again what it changed meanwhile, before it is stopped
 * The domain is suspended afterwards, also when it fails after @calls->suspend.
 */
int xen_domain_save(struct xen *xen, uint16_t domid, int fd, bool live,
		    const struct xen_save_calls *calls, struct fault *fault);

/**
 * xen_domain_restore - fill a domain made with xen_limits.restored from @fd.
 * @xenstore_port, @console_port: the guest's ends
 * @built: set on success
 */
int xen_domain_restore(struct xen *xen, uint16_t domid, int fd, uint32_t xenstore_port,
		       uint32_t console_port, struct xen_built *built, xen_progress progress,
		       void *arg, struct fault *fault);

/**
 * xen_domain_resume - let a suspended domain go on.
 * @cancelled: it hears that nothing happened and keeps its devices; else it takes itself for
 *             restored, and connects them anew
 */
int xen_domain_resume(struct xen *xen, uint16_t domid, bool cancelled, struct fault *fault);

/** xen_logdirty_works - can Xen tell what a domain writes, for a live copy? Not every Xen can of
 * PV. */
bool xen_logdirty_works(struct xen *xen, uint16_t domid);

/** xen_logdirty_off - end what a live copy that was broken off left on. */
void xen_logdirty_off(struct xen *xen, uint16_t domid);

/**
 * xen_domain_paravirtual - can an HVM guest be asked to suspend? Without PV drivers, or asleep, it
 * is stopped from outside.
 */
int xen_domain_paravirtual(struct xen *xen, uint16_t domid, bool *paravirtual, struct fault *fault);

/** xen_domain_shutdown - end it from outside. @reason: SHUTDOWN_* of xen/sched.h */
int xen_domain_shutdown(struct xen *xen, uint16_t domid, unsigned reason, struct fault *fault);

/**
 * xen_domain_dump - write a domain's memory, an ELF core, to a file; it should stand still.
 * @progress: told now and then, or NULL
 */
int xen_domain_dump(struct xen *xen, uint16_t domid, const char *path, xen_progress progress,
		    void *arg, struct fault *fault);
