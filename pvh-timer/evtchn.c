#include "pvh-timer/evtchn.h"

#include "pvh-timer/atomic.h"
#include "pvh-timer/evtchn_flags.h"
#include "pvh-timer/hypercall.h"

#define NS_PER_MS   1000000u
/* How often a self-check looks again before it calls an event lost: Xen sets three words. */
#define STUCK_LOOKS 1000u

struct evtchn_channel *evtchn_channel_of(const struct evtchn *evtchn, uint32_t port)
{
	struct evtchn_channel **page;

	if (port / EVTCHN_TABLE_ENTRIES >= EVTCHN_TABLE_PAGES)
		return NULL;
	page = __atomic_load_n(&evtchn->table[port / EVTCHN_TABLE_ENTRIES], __ATOMIC_ACQUIRE);
	return page ? __atomic_load_n(&page[port % EVTCHN_TABLE_ENTRIES], __ATOMIC_ACQUIRE) : NULL;
}

int evtchn_send(struct evtchn *evtchn, const struct evtchn_channel *channel)
{
	struct evtchn_send send = {.port = channel->port};

	return hypercall_evtchn(evtchn->host, EVTCHNOP_send, &send);
}

/* Make the bit what the flags say. They may change at any moment, and others may be here at the
 * same time: who touched the bit last looks at the flags once more. */
static void channel_settle(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	struct evtchn_unmask unmask = {.port = channel->port};
	uint32_t masks = atomic_read32(&channel->flags) & EVTCHN_MASKS, before;

	do {
		before = masks;
		if (masks)
			evtchn->abi->mask(evtchn, channel->port);
		else if (evtchn->abi->unmask(evtchn, channel->port))
			hypercall_evtchn(evtchn->host, EVTCHNOP_unmask, &unmask);
		masks = atomic_read32(&channel->flags) & EVTCHN_MASKS;
	} while (!masks != !before);
}

void evtchn_mask_for(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t reason)
{
	atomic_set32(&channel->flags, reason);
	channel_settle(evtchn, channel);
}

void evtchn_unmask_for(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t reason)
{
	atomic_clear32(&channel->flags, reason);
	channel_settle(evtchn, channel);
}

void evtchn_mask(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	evtchn_mask_for(evtchn, channel, EVTCHN_MASK_OWNER);
}

void evtchn_unmask(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	evtchn_unmask_for(evtchn, channel, EVTCHN_MASK_OWNER);
}

/* Until after the handler has run: evtchn_tick unmasks. */
static void channel_hold(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t ms)
{
	uint64_t until = evtchn->host->ops->now(evtchn->host) + (uint64_t)ms * NS_PER_MS;

	anomaly_note(evtchn->anomalies, ANOMALY_EVENT_STORM);
	__atomic_store_n(&channel->until, until, __ATOMIC_RELAXED);
	__atomic_fetch_add(&evtchn->held, 1, __ATOMIC_SEQ_CST);
	if (atomic_set32(&channel->flags, EVTCHN_MASK_HELD))
		__atomic_fetch_sub(&evtchn->held, 1, __ATOMIC_SEQ_CST); /* was held already */
	channel_settle(evtchn, channel);
}

static void channel_judge(struct evtchn *evtchn, struct evtchn_channel *channel, bool useful)
{
	uint32_t over;

	if (useful) {
		channel->idle = 0;
		return;
	}
	anomaly_note(evtchn->anomalies, ANOMALY_EVENT_USELESS);
	if (++channel->idle <= EVTCHN_IDLE_FREE)
		return;
	over = channel->idle - EVTCHN_IDLE_FREE;
	channel_hold(evtchn, channel, over < 5 ? 1u << over : EVTCHN_HOLD_MS_MAX);
	if (over > 5)
		channel->idle = EVTCHN_IDLE_FREE + 5;
}

void evtchn_done(struct evtchn *evtchn, struct evtchn_channel *channel, bool useful)
{
	channel_judge(evtchn, channel, useful);
	evtchn_unmask_for(evtchn, channel, EVTCHN_MASK_LATE);
}

enum entry { ENTERED, ELSEWHERE, MASKED };

/* One runner at a time; who comes second leaves word for the first. */
static enum entry channel_enter(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	uint32_t old = atomic_read32(&channel->flags), new;
	enum entry entry;

	do {
		if (old & EVTCHN_MASKS) {
			return MASKED;
		} else if (old & EVTCHN_RUNNING) {
			entry = ELSEWHERE;
			new = old | EVTCHN_AGAIN;
		} else {
			entry = ENTERED;
			new = old | EVTCHN_RUNNING | (channel->late ? EVTCHN_MASK_LATE : 0);
		}
	} while (!atomic_compare_swap32(&channel->flags, &old, new));
	if (entry == ELSEWHERE)
		anomaly_note(evtchn->anomalies, ANOMALY_EVENT_CONCURRENT);
	if (entry == ENTERED && channel->late)
		channel_settle(evtchn, channel);
	return entry;
}

/* An event was cleared: is its handler to be called here? Else it was handed over, or put back
 * for whoever unmasks. */
static bool event_take(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t port)
{
	for (;;) {
		switch (channel_enter(evtchn, channel)) {
		case ENTERED:
			return true;
		case ELSEWHERE:
			return false;
		case MASKED:
			break;
		}
		/* Unmasked just now, nobody else looks for what we put back. */
		evtchn->abi->pend(evtchn, port);
		if (atomic_read32(&channel->flags) & EVTCHN_MASKS ||
		    !evtchn->abi->clear(evtchn, port))
			return false;
	}
}

/* Return: is there nothing more to do? */
static bool channel_leave(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t port)
{
	uint32_t old = atomic_read32(&channel->flags), new;
	bool again;

	do {
		again = old & EVTCHN_AGAIN && !(old & EVTCHN_MASKS);
		new = old & ~EVTCHN_AGAIN;
		if (!again)
			new &= ~EVTCHN_RUNNING;
		else if (channel->late)
			new |= EVTCHN_MASK_LATE;
	} while (!atomic_compare_swap32(&channel->flags, &old, new));
	if (again && channel->late)
		channel_settle(evtchn, channel);
	if (again)
		return false;
	return !(old & EVTCHN_AGAIN) || !event_take(evtchn, channel, port);
}

static void channel_run(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t port,
			unsigned vcpu)
{
	do {
		bool useful = channel->handler(channel->arg);

		if (channel->pass != evtchn->vcpu[vcpu].pass) {
			channel->pass = evtchn->vcpu[vcpu].pass;
			channel->burst = 0;
		}
		/* A VIRQ is Xen's own: nobody storms with it, and without the timer's all ends. */
		if (++channel->burst > EVTCHN_BURST && channel->kind != EVTCHN_VIRQ)
			channel_hold(evtchn, channel, 1);
		else if (!channel->late)
			channel_judge(evtchn, channel, useful);
	} while (!channel_leave(evtchn, channel, port));
}

void evtchn_handle(struct evtchn *evtchn, uint32_t port, unsigned vcpu)
{
	struct evtchn_channel *channel = evtchn_channel_of(evtchn, port);

	if (!channel) {
		anomaly_note(evtchn->anomalies, ANOMALY_EVENT_UNBOUND);
		evtchn->abi->mask(evtchn, port);
	} else if (event_take(evtchn, channel, port)) {
		channel_run(evtchn, channel, port, vcpu);
	}
}

bool evtchn_waiting(const struct evtchn *evtchn, unsigned vcpu)
{
	return atomic_read8(&evtchn->vcpu[vcpu].info->evtchn_upcall_pending);
}

/* Nested, as when a handler lets go what is held, only the outer counts. */
static bool busy_enter(struct evtchn *evtchn, unsigned vcpu)
{
	if (atomic_read32(&evtchn->vcpu[vcpu].busy) & 1)
		return false;
	__atomic_fetch_add(&evtchn->vcpu[vcpu].busy, 1, __ATOMIC_SEQ_CST);
	return true;
}

static void busy_leave(struct evtchn *evtchn, unsigned vcpu, bool outer)
{
	if (outer)
		__atomic_fetch_add(&evtchn->vcpu[vcpu].busy, 1, __ATOMIC_SEQ_CST);
}

unsigned evtchn_dispatch(struct evtchn *evtchn, unsigned vcpu)
{
	struct evtchn_vcpu *us = &evtchn->vcpu[vcpu];
	unsigned handled = 0, rounds = 0;
	bool outer;

	if (!evtchn->abi)
		return 0;
	outer = busy_enter(evtchn, vcpu);
	us->pass++;
	do {
		atomic_swap8(&us->info->evtchn_upcall_pending, 0);
		handled += evtchn->abi->scan(evtchn, vcpu);
	} while (evtchn_waiting(evtchn, vcpu) && ++rounds < EVTCHN_ROUNDS);
	busy_leave(evtchn, vcpu, outer);
	if (!handled)
		anomaly_note(evtchn->anomalies, ANOMALY_UPCALL_SPURIOUS);
	return handled;
}

static void table_tick(struct evtchn *evtchn, struct evtchn_channel **page, uint64_t now)
{
	for (unsigned i = 0; i < EVTCHN_TABLE_ENTRIES; i++) {
		struct evtchn_channel *channel = __atomic_load_n(&page[i], __ATOMIC_ACQUIRE);

		if (!channel || !(atomic_read32(&channel->flags) & EVTCHN_MASK_HELD) ||
		    __atomic_load_n(&channel->until, __ATOMIC_RELAXED) > now)
			continue;
		if (!atomic_clear32(&channel->flags, EVTCHN_MASK_HELD))
			continue;
		__atomic_fetch_sub(&evtchn->held, 1, __ATOMIC_SEQ_CST);
		evtchn_unmask_for(evtchn, channel, 0);
	}
}

bool evtchn_tick(struct evtchn *evtchn, uint64_t now)
{
	unsigned vcpu = evtchn->host->ops->vcpu(evtchn->host);
	bool outer;

	if (!__atomic_load_n(&evtchn->held, __ATOMIC_SEQ_CST))
		return false;
	outer = busy_enter(evtchn, vcpu);
	for (unsigned i = 0; i < EVTCHN_TABLE_PAGES; i++) {
		struct evtchn_channel **page = __atomic_load_n(&evtchn->table[i], __ATOMIC_ACQUIRE);

		if (page)
			table_tick(evtchn, page, now);
	}
	busy_leave(evtchn, vcpu, outer);
	return __atomic_load_n(&evtchn->held, __ATOMIC_SEQ_CST);
}

static bool channel_stuck(struct evtchn *evtchn, struct evtchn_channel *channel, unsigned vcpu)
{
	for (unsigned look = 0; look < STUCK_LOOKS; look++) {
		if (!evtchn->abi->stuck(evtchn, channel->port, vcpu))
			return false;
		evtchn->host->ops->relax(evtchn->host);
	}
	return true;
}

static bool binding_holds(struct evtchn *evtchn, const struct evtchn_channel *channel)
{
	struct evtchn_status status = {.dom = DOMID_SELF, .port = channel->port};

	if (hypercall_evtchn(evtchn->host, EVTCHNOP_status, &status))
		return false;
	switch (channel->kind) {
	case EVTCHN_VIRQ:
		return status.status == EVTCHNSTAT_virq && status.u.virq == channel->detail &&
		       status.vcpu == channel->vcpu;
	case EVTCHN_IPI:
		return status.status == EVTCHNSTAT_ipi && status.vcpu == channel->vcpu;
	default:
		return (status.status == EVTCHNSTAT_interdomain ||
			status.status == EVTCHNSTAT_unbound) &&
		       status.vcpu == channel->vcpu;
	}
}

bool evtchn_bound(struct evtchn *evtchn)
{
	struct evtchn_channel *channel;

	for (channel = evtchn->channels; channel; channel = channel->next) {
		if ((channel->kind == EVTCHN_VIRQ || channel->kind == EVTCHN_IPI) &&
		    binding_holds(evtchn, channel))
			return true;
	}
	return false;
}

unsigned evtchn_check(struct evtchn *evtchn)
{
	unsigned vcpu = evtchn->host->ops->vcpu(evtchn->host), wrong = 0;
	struct evtchn_channel *channel;

	for (channel = evtchn->channels; channel; channel = channel->next) {
		if (!binding_holds(evtchn, channel)) {
			anomaly_note(evtchn->anomalies, ANOMALY_BINDING_LOST);
			wrong++;
		} else if (channel->vcpu == vcpu && channel_stuck(evtchn, channel, vcpu)) {
			anomaly_note(evtchn->anomalies, ANOMALY_EVENT_RECOVERED);
			wrong++;
			evtchn->abi->mask(evtchn, channel->port);
			evtchn_unmask_for(evtchn, channel, 0);
		}
	}
	return wrong;
}
