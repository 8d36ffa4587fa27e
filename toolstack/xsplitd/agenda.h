/*
 * agenda.h - what xsplitd's next look is at: what the XenStore said something about, and now and
 * then everything.
 *
 * So that an event costs the same beside a thousand domains as beside one. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>

#include "toolstack/xen/xen.h"

struct agenda {
	bool all;      /* domains, and everything else */
	bool recorded; /* what is being created or started again */
	bool stirred[DOMID_FIRST_RESERVED];
};

/** agenda_domain - look at this one, which need not exist. */
void agenda_domain(struct agenda *agenda, uint16_t domid);

/** agenda_event - @path: of a watch event: "/tool/xsplit/domain/5/busy", "@releaseDomain", ... */
void agenda_event(struct agenda *agenda, const char *path);

/**
 * agenda_has - is a recorded domain to be looked at?
 * @domain: NULL when Xen has none of that number; one that has ended or ends always is
 */
bool agenda_has(const struct agenda *agenda, uint16_t domid, const struct xen_domain *domain);

/** agenda_stirred - may a domain have got another name since? */
bool agenda_stirred(const struct agenda *agenda, uint16_t domid);
