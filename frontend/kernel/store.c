#include "frontend/kernel/store.h"

#include <errno.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

#include "frontend/kernel/world.h"

#define PATH_SIZE 256u
#define SLEEP_NS  1000000u

struct watch {
	char path[PATH_SIZE];
	void (*handler)(void *arg);
	void *arg;
	bool used, fired;
};

static struct {
	struct xenstore_domain_interface *ring;
	uint32_t port;
	struct evtchn_channel channel;
	uint32_t request;
	struct watch watch[STORE_WATCHES_MAX];
	char reply[XENSTORE_PAYLOAD_MAX + 1];
	struct xsd_sockmsg header;
} store;

int store_start(void)
{
	uint64_t frame, port;

	if (hypercall_param_get(&kernel.host, HVM_PARAM_STORE_PFN, &frame) || !frame ||
	    hypercall_param_get(&kernel.host, HVM_PARAM_STORE_EVTCHN, &port) || !port)
		return -ENODEV;
	store.ring = (void *)(frame * 4096);
	store.port = (uint32_t)port;
	return 0;
}

static bool ring_event(void *arg)
{
	return true; /* who waits looks at the ring */
}

int store_upgrade(void)
{
	if (!store.ring)
		return -ENODEV;
	store.channel = (struct evtchn_channel){.handler = ring_event, .priority = 14};
	kernel.pvh.store = &store.channel;
	return evtchn_adopt(&kernel.pvh.evtchn, &store.channel, store.port);
}

static void notify(void)
{
	struct evtchn_send send = {
		.port = store.channel.kind == EVTCHN_CLOSED ? store.port : store.channel.port};

	hypercall_evtchn(&kernel.host, EVTCHNOP_send, &send);
}

static void ring_put(const void *data, size_t size)
{
	const char *bytes = data;
	uint32_t produced = store.ring->req_prod;

	for (size_t i = 0; i < size; i++) {
		while (produced - __atomic_load_n(&store.ring->req_cons, __ATOMIC_ACQUIRE) ==
		       XENSTORE_RING_SIZE) {
			__atomic_store_n(&store.ring->req_prod, produced, __ATOMIC_RELEASE);
			notify();
			smp_yield();
		}
		store.ring->req[MASK_XENSTORE_IDX(produced++)] = bytes[i];
	}
	__atomic_store_n(&store.ring->req_prod, produced, __ATOMIC_RELEASE);
}

static bool ring_empty(void)
{
	return __atomic_load_n(&store.ring->rsp_prod, __ATOMIC_ACQUIRE) == store.ring->rsp_cons;
}

/* With interrupts off, what comes after the look stays pending: then Xen returns at once. */
void store_sleep(void)
{
	struct sched_poll poll = {.nr_ports = 1};
	bool on;

	if (store.channel.kind == EVTCHN_CLOSED) {
		smp_yield();
		return;
	}
	on = cpu_interrupts_save();
	set_xen_guest_handle(poll.ports, &store.channel.port);
	poll.timeout = world_now() + SLEEP_NS;
	if (ring_empty())
		hypercall_sched(&kernel.host, SCHEDOP_poll, &poll);
	cpu_interrupts_restore(on);
}

/* A reply larger than our buffer cannot be (XENSTORE_PAYLOAD_MAX), but is read to its end. */
static void ring_get(void *data, size_t size, size_t room)
{
	char *bytes = data;
	uint32_t consumed = store.ring->rsp_cons;

	for (size_t i = 0; i < size; i++) {
		char byte = 0;

		while (__atomic_load_n(&store.ring->rsp_prod, __ATOMIC_ACQUIRE) == consumed) {
			__atomic_store_n(&store.ring->rsp_cons, consumed, __ATOMIC_RELEASE);
			notify();
			smp_yield();
		}
		byte = store.ring->rsp[MASK_XENSTORE_IDX(consumed++)];
		if (i < room)
			bytes[i] = byte;
	}
	__atomic_store_n(&store.ring->rsp_cons, consumed, __ATOMIC_RELEASE);
}

static void watch_note(void)
{
	size_t path = strlen(store.reply) + 1;
	unsigned which;

	if (path >= sizeof(store.reply))
		return;
	which = (unsigned)(store.reply[path] - '0');
	if (which < STORE_WATCHES_MAX && store.watch[which].used)
		store.watch[which].fired = true;
}

/* The next message, into .header and .reply. Return: was it an answer, not a watch? */
static bool message_take(void)
{
	size_t length;

	ring_get(&store.header, sizeof(store.header), sizeof(store.header));
	length = store.header.len < XENSTORE_PAYLOAD_MAX ? store.header.len : XENSTORE_PAYLOAD_MAX;
	memset(store.reply, 0, sizeof(store.reply));
	ring_get(store.reply, store.header.len, length);
	notify();
	if (store.header.type != XS_WATCH_EVENT)
		return true;
	watch_note();
	return false;
}

static int error_number(void)
{
	for (unsigned i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++) {
		if (!strcmp(xsd_errors[i].errstring, store.reply))
			return -xsd_errors[i].errnum;
	}
	return -EIO;
}

struct part {
	const void *data;
	size_t size;
};

/* Return: 0 with the answer in .reply, or what the store says. */
static int call(uint32_t type, uint32_t transaction, const struct part *part, unsigned parts)
{
	struct xsd_sockmsg header;

	if (!store.ring)
		return -ENODEV;
	memset(&header, 0, sizeof(header));
	header.type = type;
	header.req_id = ++store.request;
	header.tx_id = transaction;
	for (unsigned i = 0; i < parts; i++)
		header.len += (uint32_t)part[i].size;
	ring_put(&header, sizeof(header));
	for (unsigned i = 0; i < parts; i++)
		ring_put(part[i].data, part[i].size);
	notify();
	do {
		while (ring_empty())
			store_sleep();
	} while (!message_take() || store.header.req_id != store.request);
	return store.header.type == XS_ERROR ? error_number() : 0;
}

int store_get(uint32_t transaction, const char *path, char *value, size_t size)
{
	struct part part = {path, strlen(path) + 1};
	int rc = call(XS_READ, transaction, &part, 1);

	if (rc)
		return rc;
	if (store.header.len >= size || store.header.len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	if (strlen(store.reply) != store.header.len)
		return -EIO;
	memcpy(value, store.reply, store.header.len + 1);
	return (int)store.header.len;
}

int store_put(uint32_t transaction, const char *path, const char *value)
{
	struct part part[] = {{path, strlen(path) + 1}, {value, strlen(value)}};

	return call(XS_WRITE, transaction, part, 2);
}

int store_delete(uint32_t transaction, const char *path)
{
	struct part part = {path, strlen(path) + 1};

	return call(XS_RM, transaction, &part, 1);
}

int store_transaction_begin(uint32_t *transaction)
{
	struct part part = {"", 1};
	int rc = call(XS_TRANSACTION_START, 0, &part, 1);

	*transaction = 0;
	for (const char *digit = store.reply; !rc && *digit >= '0' && *digit <= '9'; digit++)
		*transaction = *transaction * 10 + (uint32_t)(*digit - '0');
	return rc;
}

int store_transaction_end(uint32_t transaction, int commit)
{
	struct part part = {commit ? "T" : "F", 2};

	return call(XS_TRANSACTION_END, transaction, &part, 1);
}

int store_names(const char *path, char *names, size_t size)
{
	struct part part = {path, strlen(path) + 1};
	int rc = call(XS_DIRECTORY, 0, &part, 1);

	if (rc)
		return rc;
	if (store.header.len > size || store.header.len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	memcpy(names, store.reply, store.header.len);
	return (int)store.header.len;
}

static int watch_tell(unsigned which, uint32_t type)
{
	char token[2] = {(char)('0' + which), '\0'};
	struct part part[] = {{store.watch[which].path, strlen(store.watch[which].path) + 1},
			      {token, 2}};

	return call(type, 0, part, 2);
}

int store_watch_add(const char *path, void (*handler)(void *arg), void *arg, unsigned *watch)
{
	unsigned which = 0;
	int rc;

	while (which < STORE_WATCHES_MAX && store.watch[which].used)
		which++;
	if (which == STORE_WATCHES_MAX)
		return -ENOSPC;
	print_into(store.watch[which].path, PATH_SIZE, "%s", path);
	store.watch[which].handler = handler;
	store.watch[which].arg = arg;
	store.watch[which].fired = false;
	store.watch[which].used = true;
	rc = watch_tell(which, XS_WATCH);
	if (rc)
		store.watch[which].used = false;
	*watch = which;
	return rc;
}

void store_watch_remove(unsigned watch)
{
	watch_tell(watch, XS_UNWATCH);
	store.watch[watch].used = false;
}

unsigned store_watches(void)
{
	unsigned ran = 0;

	while (store.ring && !ring_empty())
		message_take();
	for (unsigned i = 0; i < STORE_WATCHES_MAX; i++) {
		if (!store.watch[i].used || !store.watch[i].fired)
			continue;
		store.watch[i].fired = false;
		store.watch[i].handler(store.watch[i].arg);
		ran++;
	}
	return ran;
}

int store_resume(void)
{
	int rc = store_start();

	for (unsigned i = 0; !rc && i < STORE_WATCHES_MAX; i++) {
		if (store.watch[i].used)
			rc = watch_tell(i, XS_WATCH);
		/* A store that went on knows it. */
		if (rc == -EEXIST)
			rc = 0;
	}
	return rc;
}
