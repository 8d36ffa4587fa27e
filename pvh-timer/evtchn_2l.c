/* The 2-level ABI: a selector word a vcpu, and two bitmaps that all vcpus share. */
#include "pvh-timer/atomic.h"
#include "pvh-timer/evtchn.h"

#define WORDS 64u

static int vcpu_start(struct evtchn *evtchn, unsigned vcpu)
{
	evtchn->vcpu[vcpu].next = 0;
	if (vcpu)
		return 0;
	for (uint32_t port = 0; port < WORDS * 64; port++)
		atomic_bit_set(evtchn->shared->evtchn_mask, port);
	return 0;
}

static int port_start(struct evtchn *evtchn, uint32_t port)
{
	return port < WORDS * 64 ? 0 : -ENOSPC;
}

static bool port_pending(struct evtchn *evtchn, uint32_t port)
{
	return atomic_bit_test(evtchn->shared->evtchn_pending, port);
}

static bool port_clear(struct evtchn *evtchn, uint32_t port)
{
	return atomic_bit_clear(evtchn->shared->evtchn_pending, port);
}

static void port_pend(struct evtchn *evtchn, uint32_t port)
{
	atomic_bit_set(evtchn->shared->evtchn_pending, port);
}

static void port_mask(struct evtchn *evtchn, uint32_t port)
{
	atomic_bit_set(evtchn->shared->evtchn_mask, port);
}

/* Xen tells only of what becomes pending while unmasked, and its own call looks at what is pending
 * only if it is the one that clears the mask: so the bit is set for it, whoever cleared it. */
static bool port_unmask(struct evtchn *evtchn, uint32_t port)
{
	atomic_bit_clear(evtchn->shared->evtchn_mask, port);
	if (!port_pending(evtchn, port))
		return false;
	anomaly_note(evtchn->anomalies, ANOMALY_UNMASK_RACE);
	atomic_bit_set(evtchn->shared->evtchn_mask, port);
	return true;
}

/* The bitmaps are shared, the selector is not: what belongs to another vcpu is its business. */
static unsigned word_scan(struct evtchn *evtchn, unsigned vcpu, unsigned word, uint64_t which)
{
	uint64_t bits = atomic_read64(&evtchn->shared->evtchn_pending[word]) & which &
			~atomic_read64(&evtchn->shared->evtchn_mask[word]);
	unsigned handled = 0;

	for (; bits; bits &= bits - 1) {
		uint32_t port = word * 64 + (unsigned)__builtin_ctzll(bits);
		struct evtchn_channel *channel = evtchn_channel_of(evtchn, port);

		if (channel && atomic_read32(&channel->vcpu) != vcpu)
			continue;
		evtchn->vcpu[vcpu].next = (port + 1) % (WORDS * 64);
		if (!port_clear(evtchn, port))
			continue;
		evtchn_handle(evtchn, port, vcpu);
		handled++;
	}
	return handled;
}

/* Begins behind the last port served, so that low ports do not starve high ones. */
static unsigned scan(struct evtchn *evtchn, unsigned vcpu)
{
	uint64_t selector = atomic_swap64(&evtchn->vcpu[vcpu].info->evtchn_pending_sel, 0);
	unsigned first = evtchn->vcpu[vcpu].next / 64, handled = 0;
	uint64_t high = ~UINT64_C(0) << (evtchn->vcpu[vcpu].next % 64);
	bool revisit = selector >> first & 1;
	uint64_t order;

	if (!selector)
		return 0;
	if (revisit)
		handled += word_scan(evtchn, vcpu, first, high);
	selector &= ~(UINT64_C(1) << first);
	order = first ? selector >> first | selector << (64 - first) : selector;
	for (; order; order &= order - 1) {
		unsigned word = (first + (unsigned)__builtin_ctzll(order)) % WORDS;

		handled += word_scan(evtchn, vcpu, word, ~UINT64_C(0));
	}
	if (revisit)
		handled += word_scan(evtchn, vcpu, first, ~high);
	return handled;
}

static bool stuck(struct evtchn *evtchn, uint32_t port, unsigned vcpu)
{
	struct vcpu_info *info = evtchn->vcpu[vcpu].info;

	return port_pending(evtchn, port) && !atomic_bit_test(evtchn->shared->evtchn_mask, port) &&
	       !(atomic_read8(&info->evtchn_upcall_pending) &&
		 atomic_read64(&info->evtchn_pending_sel) >> (port / 64) & 1);
}

const struct evtchn_abi evtchn_abi_2l = {
	.name = "2-level",
	.ports = WORDS * 64,
	.vcpu_start = vcpu_start,
	.port_start = port_start,
	.pending = port_pending,
	.clear = port_clear,
	.pend = port_pend,
	.mask = port_mask,
	.unmask = port_unmask,
	.scan = scan,
	.stuck = stuck,
};
