/* Three guests' rings at the store, in any order with what dom0 does and with their deaths: what a
 * guest may not read it does not get, what it may not write stays, its quotas hold and every
 * account is right in the end. */
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/hypervisor.h"
#include "xenstore-tools/store/request.h"
#include "xenstore-tools/store/transport.h"

#define GUESTS  3u /* domains 1, 2, 3 */
#define NODES   12u
#define WATCHES 4u
#define OPEN    3u
#define MEMORY  (64u << 10)
#define SECRET  "tHeSeCrEt"
#define GUARDED "as it was"

struct guest {
	bool exists, shutdown, dying, mapped;
	uint32_t port;
	struct xenstore_domain_interface page;
	char tail[sizeof(SECRET) - 1]; /* what it read last */
};

static struct world {
	struct store store;
	struct guest guest[GUESTS + 1];
	struct connection *dom0;
	struct scratch scratch;
} world;

static struct guest *guest_of(uint16_t domid)
{
	return domid && domid <= GUESTS && world.guest[domid].exists ? &world.guest[domid] : NULL;
}

static void *map(void *state, uint16_t domid)
{
	struct guest *g = guest_of(domid);

	if (!g) {
		errno = ESRCH;
		return NULL;
	}
	CHECK(!g->mapped);
	g->mapped = true;
	return &g->page;
}

static void unmap(void *state, uint16_t domid, void *page)
{
	CHECK(world.guest[domid].mapped && page == &world.guest[domid].page);
	world.guest[domid].mapped = false;
}

static int bind_port(void *state, uint16_t domid, uint32_t port)
{
	struct guest *g = guest_of(domid);

	if (!g || !port)
		return -EINVAL;
	CHECK(!g->port);
	g->port = port;
	return 100 + domid;
}

static void unbind(void *state, uint32_t port)
{
	CHECK(world.guest[port - 100].port);
	world.guest[port - 100].port = 0;
}

static void notify(void *state, uint32_t port)
{
	CHECK(world.guest[port - 100].port);
}

static int domains(void *state, uint16_t first, struct hypervisor_domain *out, size_t max)
{
	size_t count = 0;

	for (uint16_t i = first; i <= GUESTS && count < max; i++)
		if (!i || world.guest[i].exists)
			out[count++] = (struct hypervisor_domain){i, world.guest[i].shutdown,
								  world.guest[i].dying};
	return (int)count;
}

static void settle(void)
{
	struct connection *c;

	for (unsigned turns = 0; turns < 64 && (c = TAILQ_FIRST(&world.store.dirty)); turns++) {
		TAILQ_REMOVE(&world.store.dirty, c, dirty);
		c->is_dirty = false;
		if (!c->ring)
			output_clear(&c->output);
		else if (transport_ring(&world.scratch, c))
			connection_touch(c);
	}
}

static void dom0_says(uint32_t type, uint32_t transaction, const void *body, size_t size)
{
	char wire[sizeof(struct xsd_sockmsg) + 256];
	struct xsd_sockmsg header = {type, 1, transaction, (uint32_t)size};
	unsigned budget = 1;

	CHECK(size <= 256);
	memcpy(wire, &header, sizeof(header));
	memcpy(wire + sizeof(header), body, size);
	CHECK(connection_consume(world.dom0, wire, sizeof(header) + size, &budget) ==
	      sizeof(header) + size);
	settle();
}

/* "PATH\0REST" */
static size_t two_words(char body[256], const char *path, const char *rest)
{
	int n = snprintf(body, 256, "%s%c%s", path, '\0', rest);

	CHECK(n > 0 && n < 256);
	return (size_t)n;
}

static void dom0_writes(uint32_t transaction, const char *path, const char *value)
{
	char body[256];

	dom0_says(XS_WRITE, transaction, body, two_words(body, path, value));
}

static void dom0_permits(const char *path, const char *perms)
{
	char body[256];

	dom0_says(XS_SET_PERMS, 0, body, two_words(body, path, perms) + 1);
}

static void home_make(uint16_t domid)
{
	char path[32], perms[8];

	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	snprintf(perms, sizeof(perms), "n%u", domid);
	dom0_writes(0, path, "");
	dom0_permits(path, perms);
}

static void introduce(uint16_t domid)
{
	char body[32];
	int n = snprintf(body, sizeof(body), "%u", domid);

	memcpy(body + n, "\0000\0007", 5);
	dom0_says(XS_INTRODUCE, 0, body, (size_t)n + 5);
}

static void world_start(void)
{
	static const struct hypervisor hypervisor = {NULL,   map,    unmap,  bind_port,
						     unbind, notify, domains};
	struct quota quota = quota_default();

	quota.nodes = NODES;
	quota.watches = WATCHES;
	quota.transactions = OPEN;
	quota.memory = MEMORY;
	memset(&world, 0, sizeof(world));
	CHECK(!store_init(&world.store, &quota, 4711));
	world.store.hypervisor = &hypervisor;
	world.dom0 = connection_new(&world.store, 0);
	CHECK(world.dom0);
	dom0_writes(0, "/hidden", SECRET);
	dom0_writes(0, "/hidden/" SECRET, SECRET);
	dom0_permits("/hidden", "n0");
	dom0_permits("/hidden/" SECRET, "n0");
	dom0_writes(0, "/guarded", GUARDED);
	dom0_permits("/guarded", "r0");
	for (uint16_t i = 1; i <= GUESTS; i++) {
		world.guest[i].exists = true;
		home_make(i);
		introduce(i);
	}
}

static void touch(uint16_t domid)
{
	struct domain *domain = domain_find(&world.store, domid);

	if (domain && domain->connection)
		connection_touch(domain->connection);
	settle();
}

/* The guest takes its answers, and looks for what is not for it. */
static void guest_reads(uint16_t domid)
{
	struct guest *g = &world.guest[domid];
	char window[sizeof(g->tail) + sizeof(g->page.rsp)];
	uint32_t there = g->page.rsp_prod - g->page.rsp_cons;
	size_t size = sizeof(g->tail);

	if (there > sizeof(g->page.rsp))
		there = 0; /* it spoilt its indices */
	memcpy(window, g->tail, size);
	for (uint32_t i = 0; i < there; i++)
		window[size++] = g->page.rsp[MASK_XENSTORE_IDX(g->page.rsp_cons + i)];
	CHECK(!memmem(window, size, SECRET, strlen(SECRET)));
	memcpy(g->tail, window + size - sizeof(g->tail), sizeof(g->tail));
	g->page.rsp_cons += there;
	touch(domid);
}

static void guest_sends(uint16_t domid, const char *bytes, size_t size)
{
	struct guest *g = &world.guest[domid];

	for (unsigned tries = 0; size && tries < 16; tries++) {
		uint32_t room = sizeof(g->page.req) - (g->page.req_prod - g->page.req_cons);

		for (; size && room && room <= sizeof(g->page.req); size--, room--)
			g->page.req[MASK_XENSTORE_IDX(g->page.req_prod++)] = *bytes++;
		touch(domid);
		guest_reads(domid);
	}
}

static const char *const paths[] = {
	"",
	"x",
	"x/y",
	"/",
	"/local/domain/1",
	"/local/domain/2/x",
	"/hidden",
	"/guarded",
	"@releaseDomain",
	"@introduceDomain",
	"/local/domain/3/x/y/z",
	"/hidden/y",
	"device/vbd/1/state",
	"/local/domain/1/shared",
	"/local",
	"//",
};

static const char *const words[] = {"",    "n1", "b2", "r3", "w1",    "n65535", "T",    "F",
				    "tok", "0",  "1",  "2",  "value", "b0",     "help", "/x"};

/* A request of words, most of them with a meaning; it rarely says another size than it has. */
static void guest_asks(uint16_t domid, struct input *input)
{
	char wire[sizeof(struct xsd_sockmsg) + 512] = "";
	struct {
		uint8_t type, transaction, path, words, odd;
	} step;
	struct xsd_sockmsg header = {.req_id = 5};
	size_t size = sizeof(header);

	input_take(input, &step, sizeof(step));
	header.type = step.type % 32;
	header.tx_id = step.transaction < 128 ? 0 : step.transaction - 128u;
	size += (size_t)snprintf(wire + size, 128, "%s", paths[step.path % 16]) + 1;
	for (unsigned i = 0; i < step.words % 8u; i++) {
		uint8_t word;

		input_take(input, &word, 1);
		size += (size_t)snprintf(wire + size, 16, "%s", words[word % 16]);
		size += word < 200; /* with its NUL, or not */
	}
	header.len = (uint32_t)(size - sizeof(header));
	if (step.odd > 240)
		header.len += step.odd;
	memcpy(wire, &header, sizeof(header));
	guest_sends(domid, wire, size);
}

/* What dom0 does is sensible, and only to the guests' homes. */
static void dom0_acts(uint16_t domid, struct input *input)
{
	char path[64], number[8];
	uint8_t what;

	input_take(input, &what, 1);
	snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, what & 1 ? "x" : "device");
	snprintf(number, sizeof(number), "%u", domid);
	switch (what / 2 % 8) {
	case 0:
		dom0_writes(0, path, "of dom0");
		break;
	case 1:
		dom0_says(XS_RM, 0, path, strlen(path) + 1);
		break;
	case 2:
		dom0_says(XS_TRANSACTION_START, 0, "", 1);
		break;
	case 3:
		dom0_writes(what % 5u, path, "in one");
		break;
	case 4:
		dom0_says(XS_TRANSACTION_END, what % 5u, "T", 2);
		break;
	case 5:
		dom0_says(XS_RELEASE, 0, number, strlen(number) + 1);
		break;
	case 6:
		dom0_says(XS_WATCH, 0, "/local/domain\0all", 18);
		break;
	default:
		home_make(domid);
		introduce(domid);
	}
}

static void guest_spoils(uint16_t domid, struct input *input)
{
	struct xenstore_domain_interface *page = &world.guest[domid].page;
	struct {
		uint8_t which;
		uint32_t value;
	} __attribute__((packed)) step;

	input_take(input, &step, sizeof(step));
	switch (step.which % 6) {
	case 0:
		page->req_prod = step.value;
		break;
	case 1:
		page->req_cons = step.value;
		break;
	case 2:
		page->rsp_prod = step.value;
		break;
	case 3:
		page->rsp_cons = step.value;
		break;
	case 4:
		page->connection = step.value % 4;
		break;
	default:
		page->error = step.value;
	}
	touch(domid);
}

static void guest_lives(uint16_t domid, struct input *input)
{
	struct guest *g = &world.guest[domid];
	uint8_t what;

	input_take(input, &what, 1);
	g->exists = what % 4 != 0;
	g->dying = what % 4 == 1;
	g->shutdown = what % 4 == 2;
	domains_scan(&world.store);
	settle();
}

static void quotas_hold(void)
{
	struct connection *c;

	TAILQ_FOREACH (c, &world.store.connections, all) {
		if (c->actor.privileged)
			continue;
		CHECK(c->watch_count <= WATCHES + 1);
		CHECK(c->transaction_count <= OPEN + 1);
		CHECK(connection_used(c) <= 4 * (int64_t)MEMORY);
	}
}

static void step(struct input *input)
{
	uint8_t what;
	uint16_t domid;
	char raw[32];

	input_take(input, &what, 1);
	domid = 1 + what / 16 % GUESTS;
	world.store.now += what & 3 ? 1 : 1000;
	switch (what % 16) {
	case 0:
		guest_spoils(domid, input);
		break;
	case 1:
		guest_lives(domid, input);
		break;
	case 2:
		input_take(input, raw, sizeof(raw));
		guest_sends(domid, raw, sizeof(raw));
		break;
	case 3:
	case 4:
	case 5:
		dom0_acts(domid, input);
		break;
	case 6:
		if (domain_find(&world.store, domid) &&
		    domain_find(&world.store, domid)->connection)
			output_expire(&domain_find(&world.store, domid)->connection->output,
				      world.store.now);
		break;
	default:
		guest_asks(domid, input);
	}
	quotas_hold();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	const struct node *guarded;

	world_start();
	for (unsigned steps = 0; input.size && steps < 200; steps++)
		step(&input);
	guarded = tree_find(&world.store.tree, "/guarded", strlen("/guarded"));
	CHECK(guarded && guarded->value && guarded->value->size == strlen(GUARDED));
	CHECK(!memcmp(guarded->value->data, GUARDED, strlen(GUARDED)));
	CHECK(tree_find(&world.store.tree, "/hidden/" SECRET, strlen("/hidden/" SECRET)));
	CHECK(!domains_check(&world.store));
	store_free(&world.store);
	for (unsigned i = 1; i <= GUESTS; i++)
		CHECK(!world.guest[i].mapped && !world.guest[i].port);
	return 0;
}
