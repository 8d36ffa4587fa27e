#include "tests/unit/store_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/ring.h"

/* As ck_assert(), which itself needs memory. */
static void insist(bool holds)
{
	if (!holds)
		abort();
}

static struct world_domain *domain_of(void *state, uint16_t domid)
{
	struct world *world = (struct world *)state;

	return domid < WORLD_DOMAINS && world->domain[domid].exists ? &world->domain[domid] : NULL;
}

static void *map(void *state, uint16_t domid)
{
	struct world_domain *domain = domain_of(state, domid);

	if (!domain) {
		errno = ESRCH;
		return NULL;
	}
	insist(!domain->mapped);
	domain->mapped = true;
	return &domain->page;
}

static void unmap(void *state, uint16_t domid, void *page)
{
	struct world_domain *domain = &((struct world *)state)->domain[domid];

	insist(domain->mapped && page == &domain->page);
	domain->mapped = false;
}

static int bind_port(void *state, uint16_t domid, uint32_t port)
{
	struct world_domain *domain = domain_of(state, domid);

	if (!domain || port == 666)
		return -EINVAL;
	insist(!domain->port);
	domain->port = port;
	return 100 + domid;
}

static void unbind(void *state, uint32_t port)
{
	struct world_domain *domain = &((struct world *)state)->domain[port - 100];

	insist(domain->port);
	domain->port = 0;
}

static void notify(void *state, uint32_t port)
{
	((struct world *)state)->domain[port - 100].notified++;
}

static int domains(void *state, uint16_t first, struct hypervisor_domain *out, size_t max)
{
	struct world *world = (struct world *)state;
	size_t count = 0;

	for (uint16_t i = first; i < WORLD_DOMAINS && count < max; i++)
		if (world->domain[i].exists)
			out[count++] = (struct hypervisor_domain){i, world->domain[i].shutdown,
								  world->domain[i].dying};
	return (int)count;
}

struct world *world_new(void)
{
	struct quota quota = quota_default();
	struct world *world = calloc(1, sizeof(*world));

	ck_assert_ptr_nonnull(world);
	world->hypervisor =
		(struct hypervisor){world, map, unmap, bind_port, unbind, notify, domains};
	for (int i = 0; i <= 5; i++)
		world->domain[i].exists = true;
	ck_assert_int_eq(store_init(&world->store, &quota, 4711), 0);
	world->store.hypervisor = &world->hypervisor;
	world->dom0 = world_socket(world);
	return world;
}

void world_free(struct world *world)
{
	ck_assert_int_eq(domains_check(&world->store), 0);
	store_free(&world->store);
	for (int i = 0; i < WORLD_DOMAINS; i++)
		ck_assert(!world->domain[i].mapped && !world->domain[i].port);
	free(world);
}

struct connection *world_socket(struct world *world)
{
	struct connection *connection = connection_new(&world->store, 0);

	ck_assert_ptr_nonnull(connection);
	return connection;
}

struct connection *world_guest(struct world *world, uint16_t domid)
{
	char body[64];

	snprintf(body, sizeof(body), "%u|0|%d|", domid, 7);
	ck_says("introduce", say(world, world->dom0, XS_INTRODUCE, body), "OK|");
	return domain_find(&world->store, domid)->connection;
}

/* Take the first message off; events stay when @events is false. */
static struct message *find_reply(struct connection *who)
{
	struct message *message;

	TAILQ_FOREACH (message, &who->output.queue, queue)
		if (!message->is_event)
			return message;
	return NULL;
}

static void to_text(char *out, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = bytes[i] ? bytes[i] : '|';
	out[size] = '\0';
}

/* Copy the reply out, then drop it: by making it the first message of the queue. */
static const char *take_reply(struct world *world, struct connection *who, uint32_t transaction)
{
	struct message *message = find_reply(who);
	struct xsd_sockmsg header;
	char *out = world->reply;

	if (!message)
		return "(none)";
	memcpy(&header, message->bytes, sizeof(header));
	ck_assert_uint_eq(header.req_id, 77);
	ck_assert_uint_eq(header.tx_id, transaction);
	ck_assert_uint_eq(header.len + sizeof(header), message->size);
	world->reply_size = header.len;
	if (header.type == XS_ERROR) {
		*out++ = '!';
		header.len--;
	}
	to_text(out, message->bytes + sizeof(header), header.len);
	TAILQ_REMOVE(&who->output.queue, message, queue);
	TAILQ_INSERT_HEAD(&who->output.queue, message, queue);
	output_sent(&who->output, message->size);
	return world->reply;
}

const char *say_bytes(struct world *world, struct connection *who, uint32_t transaction,
		      uint32_t type, const void *body, size_t size)
{
	char wire[CONNECTION_MESSAGE_MAX];
	struct xsd_sockmsg header = {type, 77, transaction, size};
	unsigned budget = 1;

	ck_assert_uint_le(size, XENSTORE_PAYLOAD_MAX);
	world->store.now += 1000; /* nobody has to pause for longer */
	memcpy(wire, &header, sizeof(header));
	memcpy(wire + sizeof(header), body, size);
	ck_assert_uint_eq(connection_consume(who, wire, sizeof(header) + size, &budget),
			  sizeof(header) + size);
	return take_reply(world, who, transaction);
}

const char *say_in(struct world *world, struct connection *who, uint32_t transaction, uint32_t type,
		   const char *body)
{
	char bytes[XENSTORE_PAYLOAD_MAX];
	size_t size = strlen(body);

	ck_assert_uint_le(size, sizeof(bytes));
	for (size_t i = 0; i < size; i++)
		bytes[i] = body[i] == '|' ? '\0' : body[i];
	return say_bytes(world, who, transaction, type, bytes, size);
}

const char *say(struct world *world, struct connection *who, uint32_t type, const char *body)
{
	return say_in(world, who, 0, type, body);
}

uint32_t begin(struct world *world, struct connection *who)
{
	uint32_t id = strtoul(say(world, who, XS_TRANSACTION_START, "|"), NULL, 10);

	ck_assert_uint_ne(id, 0);
	return id;
}

const char *commit(struct world *world, struct connection *who, uint32_t transaction)
{
	return say_in(world, who, transaction, XS_TRANSACTION_END, "T|");
}

const char *events(struct connection *who)
{
	static char text[65536];
	struct message *message;
	size_t size = 0;

	text[0] = '\0';
	while ((message = TAILQ_FIRST(&who->output.queue))) {
		const char *path = message->bytes + sizeof(struct xsd_sockmsg);

		ck_assert(message->is_event);
		ck_assert_uint_lt(size + message->size + 2, sizeof(text));
		size += snprintf(text + size, sizeof(text) - size, "%s%s:%s", size ? " " : "", path,
				 path + strlen(path) + 1);
		output_sent(&who->output, message->size - who->output.sent);
	}
	return text;
}

struct world *world_with_home(struct connection **guest)
{
	struct world *world = world_new();

	say(world, world->dom0, XS_MKDIR, "/local/domain/1|");
	say(world, world->dom0, XS_SET_PERMS, "/local/domain/1|n1|");
	*guest = world_guest(world, 1);
	return world;
}

const char *long_body(const char *head, size_t size)
{
	static char body[XENSTORE_PAYLOAD_MAX + 2];

	memset(body, 'v', size);
	memcpy(body, head, strlen(head));
	body[size] = '\0';
	return body;
}

const char *long_token(const char *head, size_t size)
{
	char *body = (char *)(uintptr_t)long_body(head, size + 1);

	body[size] = '|';
	return body;
}
