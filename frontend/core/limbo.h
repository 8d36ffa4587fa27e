/*
 * limbo.h - shared areas that are no longer used but that the backend still holds.
 *
 * A page whose revocation failed must not be used for anything else: the backend could still
 * read or write it (XSA-396). It stays here until a later attempt succeeds.
 */
#pragma once

#include "frontend/core/platform.h"

/** More pages than this in limbo, and nothing new is shared: the backend hoards them. */
#define LIMBO_PAGES_MAX 1024u

/** limbo_share - as area_share, after another attempt on what is in limbo; -EBUSY when it is full.
 */
int limbo_share(struct platform *platform, uint16_t domid, uint32_t pages, bool readonly,
		struct platform_area **area);

/** limbo_drop - revoke *@area, now or when the backend lets it go; *@area is NULL afterwards. */
void limbo_drop(struct platform *platform, struct platform_area **area);

/** limbo_retry - try again. Return: how many pages are still in use. */
uint32_t limbo_retry(struct platform *platform);
