/*
 * evtchn_flags.h - a channel's flags, and what evtchn.c and evtchn_bind.c share.
 */
#pragma once

#include "pvh-timer/evtchn.h"

#define EVTCHN_RUNNING    1u /* its handler is being called */
#define EVTCHN_AGAIN      2u /* an event came meanwhile on another vcpu */
#define EVTCHN_MASK_OWNER 4u
#define EVTCHN_MASK_HELD  8u /* a storm */
#define EVTCHN_MASK_MOVE  16u
#define EVTCHN_MASK_LATE  32u /* until evtchn_done */
#define EVTCHN_MASKS      (EVTCHN_MASK_OWNER | EVTCHN_MASK_HELD | EVTCHN_MASK_MOVE | EVTCHN_MASK_LATE)

#define EVTCHN_TABLE_ENTRIES (PVH_PAGE_SIZE / sizeof(struct evtchn_channel *))

/** evtchn_mask_for - mask for one more reason. */
void evtchn_mask_for(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t reason);

/** evtchn_unmask_for - a reason is gone: unmask if it was the last, and look for what is pending.
 */
void evtchn_unmask_for(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t reason);
