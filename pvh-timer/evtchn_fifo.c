/* The FIFO ABI: one word a port, linked by Xen into sixteen queues a vcpu. */
#include "pvh-timer/atomic.h"
#include "pvh-timer/evtchn.h"
#include "pvh-timer/evtchn_flags.h"
#include "pvh-timer/hypercall.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED  (1u << EVTCHN_FIFO_MASKED)
#define LINKED  (1u << EVTCHN_FIFO_LINKED)
#define BUSY    (1u << EVTCHN_FIFO_BUSY)
#define LINK    ((uint32_t)EVTCHN_FIFO_LINK_MASK)

#define WORDS_PER_PAGE (PVH_PAGE_SIZE / sizeof(event_word_t))

static uint32_t *word_of(struct evtchn *evtchn, uint32_t port)
{
	return &evtchn->array[port / WORDS_PER_PAGE][port % WORDS_PER_PAGE];
}

static bool exists(const struct evtchn *evtchn, uint32_t port)
{
	return port / WORDS_PER_PAGE < __atomic_load_n(&evtchn->array_pages, __ATOMIC_ACQUIRE);
}

static int vcpu_start(struct evtchn *evtchn, unsigned vcpu)
{
	struct evtchn_vcpu *us = &evtchn->vcpu[vcpu];
	struct evtchn_init_control init = {.vcpu = vcpu};
	uint64_t address;

	if (!us->control)
		us->control = evtchn->host->ops->page_allocate(evtchn->host);
	if (!us->control)
		return -ENOMEM;
	if (!vcpu)
		evtchn->array_pages = 0;
	*us->control = (struct evtchn_fifo_control_block){0};
	for (unsigned i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++)
		us->head[i] = 0;
	address = evtchn->host->ops->physical(evtchn->host, us->control);
	init.control_gfn = address / PVH_PAGE_SIZE;
	init.offset = address % PVH_PAGE_SIZE;
	return hypercall_evtchn(evtchn->host, EVTCHNOP_init_control, &init);
}

/* A new page is all masked. Xen does not look whether it is, but raises at once what became pending
 * before there was a page for it. */
static int array_grow(struct evtchn *evtchn)
{
	struct evtchn_expand_array expand;
	uint32_t at = evtchn->array_pages;
	int rc;

	if (at == EVTCHN_ARRAY_PAGES)
		return -ENOSPC;
	if (!evtchn->array[at])
		evtchn->array[at] = evtchn->host->ops->page_allocate(evtchn->host);
	if (!evtchn->array[at])
		return -ENOMEM;
	for (unsigned i = 0; i < WORDS_PER_PAGE; i++)
		evtchn->array[at][i] = MASKED;
	expand.array_gfn =
		evtchn->host->ops->physical(evtchn->host, evtchn->array[at]) / PVH_PAGE_SIZE;
	rc = hypercall_evtchn(evtchn->host, EVTCHNOP_expand_array, &expand);
	if (!rc)
		__atomic_store_n(&evtchn->array_pages, at + 1, __ATOMIC_RELEASE);
	return rc;
}

static int port_start(struct evtchn *evtchn, uint32_t port)
{
	int rc = port <= LINK ? 0 : -ENOSPC;

	while (!rc && !exists(evtchn, port))
		rc = array_grow(evtchn);
	return rc;
}

static bool port_pending(struct evtchn *evtchn, uint32_t port)
{
	return exists(evtchn, port) && atomic_read32(word_of(evtchn, port)) & PENDING;
}

static bool port_clear(struct evtchn *evtchn, uint32_t port)
{
	return atomic_clear32(word_of(evtchn, port), PENDING);
}

static void port_pend(struct evtchn *evtchn, uint32_t port)
{
	atomic_set32(word_of(evtchn, port), PENDING);
}

static void port_mask(struct evtchn *evtchn, uint32_t port)
{
	if (exists(evtchn, port))
		atomic_set32(word_of(evtchn, port), MASKED);
}

/* While BUSY, Xen is linking the word and has looked at MASKED already. */
static bool port_unmask(struct evtchn *evtchn, uint32_t port)
{
	uint32_t *word = word_of(evtchn, port);
	uint32_t old = atomic_read32(word);

	while (old & BUSY || !atomic_compare_swap32(word, &old, old & ~MASKED)) {
		if (old & BUSY) {
			evtchn->host->ops->relax(evtchn->host);
			old = atomic_read32(word);
		}
	}
	if (!(old & PENDING))
		return false;
	anomaly_note(evtchn->anomalies, ANOMALY_UNMASK_RACE);
	return true;
}

/* Takes the word out of its queue. Return: the next in the queue, 0 at its end. */
static uint32_t unlink(uint32_t *word)
{
	uint32_t old = atomic_read32(word);

	while (!atomic_compare_swap32(word, &old, old & ~(LINKED | LINK)))
		;
	return old & LINK;
}

/* A port that was closed while linked, and was bound anew, is still in the queue of its old vcpu.
 */
static struct evtchn_channel *strayed(struct evtchn *evtchn, uint32_t port, unsigned vcpu)
{
	struct evtchn_channel *channel = evtchn_channel_of(evtchn, port);
	bool pinned = channel && (channel->kind == EVTCHN_IPI || channel->kind == EVTCHN_VIRQ);

	return pinned && atomic_read32(&channel->vcpu) != vcpu ? channel : NULL;
}

/* One event of @queue. Clears the queue's bit in @ready when it was the last. */
static unsigned consume(struct evtchn *evtchn, unsigned vcpu, unsigned queue, uint32_t *ready)
{
	struct evtchn_vcpu *us = &evtchn->vcpu[vcpu];
	uint32_t port = us->head[queue], word;
	struct evtchn_channel *channel;

	if (!port)
		port = atomic_read32(&us->control->head[queue]) & LINK;
	if (!port || !exists(evtchn, port)) {
		*ready &= ~(1u << queue);
		return 0;
	}
	us->head[queue] = unlink(word_of(evtchn, port));
	if (!us->head[queue])
		*ready &= ~(1u << queue);
	word = atomic_read32(word_of(evtchn, port));
	if (!(word & PENDING) || word & MASKED)
		return 0;
	channel = strayed(evtchn, port, vcpu);
	if (channel) {
		/* Xen links it where it belongs. */
		evtchn_unmask_for(evtchn, channel, 0);
		return 0;
	}
	if (!port_clear(evtchn, port))
		return 0;
	evtchn_handle(evtchn, port, vcpu);
	return 1;
}

/* The highest priority first, looked at anew after each event. */
static unsigned scan(struct evtchn *evtchn, unsigned vcpu)
{
	uint32_t *shared = &evtchn->vcpu[vcpu].control->ready;
	uint32_t ready = atomic_swap32(shared, 0) & 0xffff;
	unsigned handled = 0;

	while (ready) {
		handled += consume(evtchn, vcpu, (unsigned)__builtin_ctz(ready), &ready);
		ready |= atomic_swap32(shared, 0) & 0xffff;
	}
	return handled;
}

static bool stuck(struct evtchn *evtchn, uint32_t port, unsigned vcpu)
{
	uint32_t word = atomic_read32(word_of(evtchn, port));

	return word & PENDING && !(word & (MASKED | LINKED | BUSY));
}

static void priority_set(struct evtchn *evtchn, uint32_t port, uint8_t priority)
{
	struct evtchn_set_priority set = {.port = port, .priority = priority};

	/* A wish: without it the event comes all the same. */
	hypercall_evtchn(evtchn->host, EVTCHNOP_set_priority, &set);
}

const struct evtchn_abi evtchn_abi_fifo = {
	.name = "FIFO",
	.ports = EVTCHN_FIFO_NR_CHANNELS,
	.vcpu_start = vcpu_start,
	.port_start = port_start,
	.pending = port_pending,
	.clear = port_clear,
	.pend = port_pend,
	.mask = port_mask,
	.unmask = port_unmask,
	.scan = scan,
	.stuck = stuck,
	.priority_set = priority_set,
};
