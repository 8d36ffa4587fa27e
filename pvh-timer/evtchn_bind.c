/* Binding, closing and moving event channels, and making them all anew. */
#include "pvh-timer/atomic.h"
#include "pvh-timer/evtchn_flags.h"
#include "pvh-timer/hypercall.h"

static int abi_start(struct evtchn *evtchn, const struct evtchn_abi *abi)
{
	int rc = 0;

	evtchn->abi = abi;
	for (unsigned vcpu = 0; !rc && vcpu < evtchn->vcpus; vcpu++) {
		rc = abi->vcpu_start(evtchn, vcpu);
		if (rc && !vcpu)
			evtchn->abi = NULL;
	}
	return rc;
}

int evtchn_start(struct evtchn *evtchn)
{
	int rc = -ENOSYS;

	if (!evtchn->fifo_refused)
		rc = abi_start(evtchn, &evtchn_abi_fifo);
	/* Refused for the first vcpu, the domain still has the 2-level ABI; later there is no way
	 * back but a reset. */
	if (rc && !evtchn->abi) {
		evtchn->fifo_refused = true;
		rc = abi_start(evtchn, &evtchn_abi_2l);
	}
	return rc;
}

static int port_close(struct evtchn *evtchn, uint32_t port)
{
	struct evtchn_close close = {.port = port};

	return hypercall_evtchn(evtchn->host, EVTCHNOP_close, &close);
}

static int table_set(struct evtchn *evtchn, uint32_t port, struct evtchn_channel *channel)
{
	struct evtchn_channel ***page = &evtchn->table[port / EVTCHN_TABLE_ENTRIES];
	struct evtchn_channel **fresh;

	if (!*page) {
		fresh = evtchn->host->ops->page_allocate(evtchn->host);
		if (!fresh)
			return -ENOMEM;
		__atomic_store_n(page, fresh, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&(*page)[port % EVTCHN_TABLE_ENTRIES], channel, __ATOMIC_RELEASE);
	return 0;
}

/* The channel's port exists in Xen; make it known here and unmask it. */
static int channel_install(struct evtchn *evtchn, struct evtchn_channel *channel,
			   enum evtchn_kind kind, uint32_t port, unsigned vcpu)
{
	int rc = port < evtchn->abi->ports ? evtchn->abi->port_start(evtchn, port) : -ENOSPC;

	if (!rc) {
		channel->port = port;
		channel->flags = 0;
		channel->idle = 0;
		atomic_write32(&channel->vcpu, vcpu);
		evtchn->abi->mask(evtchn, port);
		rc = table_set(evtchn, port, channel);
	}
	if (rc) {
		if (kind != EVTCHN_ADOPTED)
			port_close(evtchn, port);
		return rc;
	}
	if (channel->kind == EVTCHN_CLOSED) {
		channel->next = evtchn->channels;
		evtchn->channels = channel;
	}
	channel->kind = kind;
	if (evtchn->abi->priority_set)
		evtchn->abi->priority_set(evtchn, port, channel->priority);
	if (kind == EVTCHN_ADOPTED)
		evtchn->abi->pend(evtchn, port);
	evtchn_unmask_for(evtchn, channel, 0);
	return 0;
}

int evtchn_bind_virq(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t virq,
		     unsigned vcpu)
{
	struct evtchn_bind_virq bind = {.virq = virq, .vcpu = vcpu};
	int rc = hypercall_evtchn(evtchn->host, EVTCHNOP_bind_virq, &bind);

	channel->detail = virq;
	return rc ? rc : channel_install(evtchn, channel, EVTCHN_VIRQ, bind.port, vcpu);
}

int evtchn_bind_ipi(struct evtchn *evtchn, struct evtchn_channel *channel, unsigned vcpu)
{
	struct evtchn_bind_ipi bind = {.vcpu = vcpu};
	int rc = hypercall_evtchn(evtchn->host, EVTCHNOP_bind_ipi, &bind);

	return rc ? rc : channel_install(evtchn, channel, EVTCHN_IPI, bind.port, vcpu);
}

int evtchn_bind_unbound(struct evtchn *evtchn, struct evtchn_channel *channel, uint16_t remote)
{
	struct evtchn_alloc_unbound bind = {.dom = DOMID_SELF, .remote_dom = remote};
	int rc = hypercall_evtchn(evtchn->host, EVTCHNOP_alloc_unbound, &bind);

	channel->remote = remote;
	return rc ? rc : channel_install(evtchn, channel, EVTCHN_UNBOUND, bind.port, 0);
}

int evtchn_bind_interdomain(struct evtchn *evtchn, struct evtchn_channel *channel, uint16_t remote,
			    uint32_t port)
{
	struct evtchn_bind_interdomain bind = {.remote_dom = remote, .remote_port = port};
	int rc = hypercall_evtchn(evtchn->host, EVTCHNOP_bind_interdomain, &bind);

	channel->remote = remote;
	channel->detail = port;
	return rc ? rc : channel_install(evtchn, channel, EVTCHN_INTERDOMAIN, bind.local_port, 0);
}

int evtchn_adopt(struct evtchn *evtchn, struct evtchn_channel *channel, uint32_t port)
{
	struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
	int rc = hypercall_evtchn(evtchn->host, EVTCHNOP_status, &status);

	if (rc)
		return rc;
	if (status.status != EVTCHNSTAT_interdomain && status.status != EVTCHNSTAT_unbound)
		return -ENOENT;
	return channel_install(evtchn, channel, EVTCHN_ADOPTED, port, status.vcpu);
}

static void channel_unlist(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	struct evtchn_channel **at = &evtchn->channels;

	while (*at && *at != channel)
		at = &(*at)->next;
	if (*at)
		*at = channel->next;
	channel->kind = EVTCHN_CLOSED;
}

/* A dispatcher may have found the channel just before it left the table: until each has been
 * outside once, the channel is in use. */
static void dispatchers_wait(struct evtchn *evtchn)
{
	for (unsigned vcpu = 0; vcpu < evtchn->vcpus; vcpu++) {
		uint32_t busy = atomic_read32(&evtchn->vcpu[vcpu].busy);

		while (busy & 1 && atomic_read32(&evtchn->vcpu[vcpu].busy) == busy)
			evtchn->host->ops->relax(evtchn->host);
	}
}

static void channel_forget(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	table_set(evtchn, channel->port, NULL);
	dispatchers_wait(evtchn);
	if (atomic_clear32(&channel->flags, EVTCHN_MASK_HELD))
		__atomic_fetch_sub(&evtchn->held, 1, __ATOMIC_SEQ_CST);
}

void evtchn_close(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	if (channel->kind == EVTCHN_CLOSED)
		return;
	evtchn_mask_for(evtchn, channel, EVTCHN_MASK_OWNER);
	channel_forget(evtchn, channel);
	port_close(evtchn, channel->port);
	/* What was pending when it was closed must not meet the next who gets the number. */
	evtchn->abi->clear(evtchn, channel->port);
	channel_unlist(evtchn, channel);
}

int evtchn_move(struct evtchn *evtchn, struct evtchn_channel *channel, unsigned vcpu)
{
	struct evtchn_bind_vcpu bind = {.port = channel->port, .vcpu = vcpu};
	int rc;

	/* Masked meanwhile: an event for the old vcpu that it no longer takes for its own
	 * is found when the new one unmasks. */
	evtchn_mask_for(evtchn, channel, EVTCHN_MASK_MOVE);
	rc = hypercall_evtchn(evtchn->host, EVTCHNOP_bind_vcpu, &bind);
	if (!rc)
		atomic_write32(&channel->vcpu, vcpu);
	evtchn_unmask_for(evtchn, channel, EVTCHN_MASK_MOVE);
	return rc;
}

static int channel_again(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	int rc;

	if (channel->kind == EVTCHN_VIRQ)
		rc = evtchn_bind_virq(evtchn, channel, channel->detail, channel->vcpu);
	else
		rc = evtchn_bind_ipi(evtchn, channel, channel->vcpu);
	if (rc)
		channel_unlist(evtchn, channel);
	else
		anomaly_note(evtchn->anomalies, ANOMALY_BINDING_LOST);
	return rc;
}

/* What was masked by its owner stays masked. */
static int channel_rebind(struct evtchn *evtchn, struct evtchn_channel *channel)
{
	bool masked = channel->flags & EVTCHN_MASK_OWNER;
	int rc;

	if (channel->kind != EVTCHN_VIRQ && channel->kind != EVTCHN_IPI) {
		channel_unlist(evtchn, channel);
		return 0;
	}
	rc = channel_again(evtchn, channel);
	if (!rc && masked)
		evtchn_mask(evtchn, channel);
	return rc;
}

int evtchn_rebind(struct evtchn *evtchn)
{
	struct evtchn_channel *channel, *next;
	int rc, first;

	for (channel = evtchn->channels; channel; channel = channel->next)
		channel_forget(evtchn, channel);
	evtchn->abi = NULL;
	first = evtchn_start(evtchn);
	if (!evtchn->abi)
		return first;
	for (channel = evtchn->channels; channel; channel = next) {
		next = channel->next;
		rc = channel_rebind(evtchn, channel);
		first = first ? first : rc;
	}
	return first;
}

struct saved {
	struct evtchn_channel *channel;
	uint16_t remote;
	uint32_t port;  /* the other side's */
	uint32_t param; /* names ours; 0: none does */
};

/* The store and the console, and perhaps a few more that the toolstack made. */
#define SAVED_MAX 8u

static uint32_t param_of(struct evtchn *evtchn, uint32_t port)
{
	static const uint32_t params[] = {HVM_PARAM_STORE_EVTCHN, HVM_PARAM_CONSOLE_EVTCHN};
	uint64_t value;

	for (unsigned i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (!hypercall_param_get(evtchn->host, params[i], &value) && value == port)
			return params[i];
	}
	return 0;
}

static unsigned remotes_save(struct evtchn *evtchn, struct saved *saved)
{
	struct evtchn_channel *channel;
	unsigned count = 0;

	for (channel = evtchn->channels; channel && count < SAVED_MAX; channel = channel->next) {
		struct evtchn_status status = {.dom = DOMID_SELF, .port = channel->port};

		if (channel->kind != EVTCHN_ADOPTED ||
		    hypercall_evtchn(evtchn->host, EVTCHNOP_status, &status) ||
		    status.status != EVTCHNSTAT_interdomain)
			continue;
		saved[count++] = (struct saved){channel, status.u.interdomain.dom,
						status.u.interdomain.port,
						param_of(evtchn, channel->port)};
	}
	return count;
}

/* Whoever asks Xen for the port later, a kernel after kexec or a resume, has to find the new one.
 */
static int remote_restore(struct evtchn *evtchn, const struct saved *saved)
{
	int rc = evtchn_bind_interdomain(evtchn, saved->channel, saved->remote, saved->port);

	if (rc)
		return rc;
	saved->channel->kind = EVTCHN_ADOPTED;
	return saved->param ? hypercall_param_set(evtchn->host, saved->param, saved->channel->port)
			    : 0;
}

int evtchn_reset(struct evtchn *evtchn)
{
	struct evtchn_reset reset = {.dom = DOMID_SELF};
	struct saved saved[SAVED_MAX];
	unsigned count = remotes_save(evtchn, saved);
	int rc = hypercall_evtchn(evtchn->host, EVTCHNOP_reset, &reset), again;

	if (rc)
		return rc;
	rc = evtchn_rebind(evtchn);
	for (unsigned i = 0; evtchn->abi && i < count; i++) {
		again = remote_restore(evtchn, &saved[i]);
		rc = rc ? rc : again;
	}
	return rc;
}
