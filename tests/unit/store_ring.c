/* Guests on their rings: a page that the test owns, a hypervisor that does what the test says. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/store_world.h"
#include "xenstore-tools/store/ring.h"

struct guest {
	struct world *world;
	struct xenstore_domain_interface *page;
	struct connection *connection;
	char got[XENSTORE_PAYLOAD_MAX + 1];
};

static void settle(struct guest *guest)
{
	for (int i = 0; i < 1000 && transport_ring(&guest->world->scratch, guest->connection); i++)
		;
}

static struct guest guest_new(struct world *world, uint16_t domid)
{
	struct guest guest = {.world = world, .page = &world->domain[domid].page};

	guest.connection = world_guest(world, domid);
	return guest;
}

/* Put bytes into the ring, as many as there is room for. */
static size_t put(struct guest *guest, const void *bytes, size_t size)
{
	struct xenstore_domain_interface *page = guest->page;
	size_t done = 0;

	while (done < size && page->req_prod - page->req_cons < XENSTORE_RING_SIZE)
		page->req[MASK_XENSTORE_IDX(page->req_prod++)] = ((const char *)bytes)[done++];
	return done;
}

static size_t take(struct guest *guest, void *bytes, size_t size)
{
	struct xenstore_domain_interface *page = guest->page;
	size_t done = 0;

	while (done < size && page->rsp_cons != page->rsp_prod)
		((char *)bytes)[done++] = page->rsp[MASK_XENSTORE_IDX(page->rsp_cons++)];
	return done;
}

static size_t request(char *out, uint32_t type, const char *body)
{
	struct xsd_sockmsg header = {type, 5, 0, strlen(body)};

	memcpy(out, &header, sizeof(header));
	for (size_t i = 0; i < header.len; i++)
		out[sizeof(header) + i] = body[i] == '|' ? '\0' : body[i];
	return sizeof(header) + header.len;
}

/* All of one message, while the daemon goes on writing it. Return: its type. */
static uint32_t receive(struct guest *guest)
{
	struct xsd_sockmsg header;
	size_t have = 0;

	memset(&header, 0xff, sizeof(header));
	for (int i = 0; i < 100 && have < sizeof(header); i++) {
		have += take(guest, (char *)&header + have, sizeof(header) - have);
		settle(guest);
	}
	if (have < sizeof(header))
		return XS_INVALID;
	ck_assert_uint_le(header.len, XENSTORE_PAYLOAD_MAX);
	for (have = 0; have < header.len;) {
		size_t more = take(guest, guest->got + have, header.len - have);

		ck_assert_uint_ne(more, 0);
		have += more;
		settle(guest);
	}
	for (size_t i = 0; i < header.len; i++)
		if (!guest->got[i])
			guest->got[i] = '|';
	guest->got[header.len] = '\0';
	return header.type;
}

static const char *ask(struct guest *guest, uint32_t type, const char *body)
{
	char bytes[CONNECTION_MESSAGE_MAX];
	size_t size = request(bytes, type, body), done = 0;

	while (done < size) {
		done += put(guest, bytes + done, size - done);
		settle(guest);
	}
	ck_assert_uint_ne(receive(guest), XS_INVALID);
	return guest->got;
}

START_TEST(advertised)
{
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);

	ck_assert_uint_eq(guest.page->server_features,
			  XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
	ck_says("asks", ask(&guest, XS_GET_DOMAIN_PATH, "1|"), "/local/domain/1|");
	ck_assert_uint_ge(world->domain[1].notified, 1);
	ck_assert_ptr_eq(domain_by_port(&world->store, 101), guest.connection->domain);
	ck_assert_ptr_null(domain_by_port(&world->store, 102));
	ck_says("introduced already and again", say(world, world->dom0, XS_INTRODUCE, "1|0|8|"),
		"OK|");
	ck_assert_uint_eq(world->domain[1].port, 8);
	ck_says("a port that can't be bound", say(world, world->dom0, XS_INTRODUCE, "1|0|666|"),
		"!EINVAL");
	ck_assert_ptr_null(domain_by_port(&world->store, 101));
	ck_says("bound again", say(world, world->dom0, XS_INTRODUCE, "1|0|9|"), "OK|");
	ck_assert_ptr_eq(domain_by_port(&world->store, 101), guest.connection->domain);
	ck_says("asks", ask(&guest, XS_GET_DOMAIN_PATH, "1|"), "/local/domain/1|");
	world_free(world);
}
END_TEST

START_TEST(cannot_be_introduced)
{
	struct world *world = world_new();

	ck_says("no such domain", say(world, world->dom0, XS_INTRODUCE, "9|0|7|"), "!ENOENT");
	ck_says("no such port", say(world, world->dom0, XS_INTRODUCE, "1|0|666|"), "!EINVAL");
	ck_says("no domid", say(world, world->dom0, XS_INTRODUCE, "40000|0|7|"), "!EINVAL");
	ck_says("dom0 itself", say(world, world->dom0, XS_INTRODUCE, "0|0|666|"), "!EINVAL");
	ck_says("not introduced", say(world, world->dom0, XS_IS_DOMAIN_INTRODUCED, "1|"), "F|");
	world_free(world);
}
END_TEST

/* One byte at a time, several at once, wrapped around the end of the ring. */
START_TEST(split_messages)
{
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);
	char bytes[512];
	size_t size = request(bytes, XS_GET_DOMAIN_PATH, "7|");

	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < size; i++) {
			ck_assert_uint_eq(put(&guest, bytes + i, 1), 1);
			settle(&guest);
			ck_assert(i == size - 1 || guest.page->rsp_prod == guest.page->rsp_cons);
		}
		ck_assert_uint_eq(receive(&guest), XS_GET_DOMAIN_PATH);
		ck_says("answer", guest.got, "/local/domain/7|");
	}
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(put(&guest, bytes, size), size);
	settle(&guest);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(receive(&guest), XS_GET_DOMAIN_PATH);
	ck_assert_uint_eq(receive(&guest), XS_INVALID);
	world_free(world);
}
END_TEST

/* Replies that are larger than the ring. */
START_TEST(large_messages)
{
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);
	char body[XENSTORE_PAYLOAD_MAX + 1];

	memset(body, 'v', sizeof(body));
	memcpy(body, "/a|", 3);
	body[4000] = '\0';
	ck_says("write", say(world, world->dom0, XS_WRITE, body), "OK|");
	ck_says("allow", say(world, world->dom0, XS_SET_PERMS, "/a|b0|"), "OK|");
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(strlen(ask(&guest, XS_READ, "/a|")), 3997);
		ck_says("refused", ask(&guest, XS_WRITE, body), "ENOSPC|");
	}
	world_free(world);
}
END_TEST

static const struct {
	const char *what;
	uint32_t req_ahead, rsp_ahead, error;
} indices[] = {
	{"request index too far", 1025, 0, XENSTORE_ERROR_RINGIDX},
	{"request index behind", UINT32_MAX, 0, XENSTORE_ERROR_RINGIDX},
	{"response index ahead of what was written", 0, 1, XENSTORE_ERROR_RINGIDX},
	{"response index far away", 0, 0x80000000u, XENSTORE_ERROR_RINGIDX},
};

START_TEST(bad_indices)
{
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);
	uint32_t answered;

	say(world, world->dom0, XS_WATCH, "@releaseDomain|t|");
	say(world, guest.connection, XS_WATCH, "x|t|");
	guest.page->req_prod += indices[_i].req_ahead;
	guest.page->rsp_cons += indices[_i].rsp_ahead;
	settle(&guest);
	ck_assert_uint_eq(guest.page->error, indices[_i].error);
	ck_assert_uint_eq(guest.connection->watch_count, 0);
	events(world->dom0);
	answered = guest.page->rsp_prod;
	guest.page->req_prod = guest.page->req_cons;
	put(&guest, "0123456789abcdef", 16);
	settle(&guest);
	ck_assert_msg(guest.page->rsp_prod == answered, "%s: nothing more is answered",
		      indices[_i].what);
	/* XSA-325: its end is told when it comes, not now. */
	ck_says("not yet", events(world->dom0), "");
	world->domain[1].exists = false;
	domains_scan(&world->store);
	ck_says("now", events(world->dom0), "@releaseDomain:t");
	world_free(world);
}
END_TEST

START_TEST(too_long_a_request)
{
	static const uint32_t lengths[] = {4097, 0x7fffffff, 0xffffffff};
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);
	struct xsd_sockmsg header = {XS_READ, 0, 0, lengths[_i]};

	put(&guest, &header, sizeof(header));
	settle(&guest);
	ck_assert_uint_eq(guest.page->error, XENSTORE_ERROR_PROTO);
	ck_assert(!connection_ready(guest.connection));
	world_free(world);
}
END_TEST

/* A guest overwrites the indices that are ours: it only confuses itself. */
START_TEST(our_indices_are_ours)
{
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);
	char bytes[64];
	size_t size = request(bytes, XS_GET_DOMAIN_PATH, "7|");

	ask(&guest, XS_GET_DOMAIN_PATH, "7|");
	put(&guest, bytes, size);
	guest.page->req_cons = 0x12345678;
	settle(&guest);
	ck_assert_uint_eq(guest.page->req_cons, guest.page->req_prod);
	ck_assert_uint_eq(receive(&guest), XS_GET_DOMAIN_PATH);
	world_free(world);
}
END_TEST

/* A kexec'ed kernel sets connection and notifies; watches, transactions and half a request go. */
START_TEST(reconnection)
{
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);

	say(world, guest.connection, XS_WATCH, "x|t|");
	events(guest.connection);
	begin(world, guest.connection);
	put(&guest, "half a request", 14);
	settle(&guest);
	guest.page->connection = XENSTORE_RECONNECT;
	world->domain[1].notified = 0;
	settle(&guest);
	ck_assert_uint_eq(guest.page->connection, XENSTORE_CONNECTED);
	ck_assert_uint_ge(world->domain[1].notified, 1);
	ck_assert_uint_eq(guest.page->req_prod + guest.page->rsp_prod + guest.page->req_cons, 0);
	ck_assert_uint_eq(guest.connection->watch_count, 0);
	ck_assert_uint_eq(guest.connection->transaction_count, 0);
	ck_says("asks", ask(&guest, XS_GET_DOMAIN_PATH, "1|"), "/local/domain/1|");

	/* Also out of an error, which is forgotten. */
	guest.page->req_prod += 5000;
	settle(&guest);
	ck_assert_uint_eq(guest.page->error, XENSTORE_ERROR_RINGIDX);
	guest.page->connection = XENSTORE_RECONNECT;
	settle(&guest);
	ck_assert_uint_eq(guest.page->error, XENSTORE_ERROR_NONE);
	ck_says("asks", ask(&guest, XS_GET_DOMAIN_PATH, "1|"), "/local/domain/1|");
	world_free(world);
}
END_TEST

/* dom0's kernel: its ring is taken up where it is, and nothing but bytes and indices is written. */
START_TEST(dom0_ring)
{
	struct world *world = world_new();
	struct guest guest = {.world = world, .page = &world->domain[0].page};
	uint32_t port;

	guest.page->req_cons = guest.page->req_prod = 5000;
	guest.page->rsp_cons = guest.page->rsp_prod = 777;
	port = world->hypervisor.bind(world, 0, 3);
	ck_assert_int_eq(domain_attach(&world->store, 0, guest.page, port), 0);
	guest.connection = domain_find(&world->store, 0)->connection;
	ck_says("privileged", ask(&guest, XS_WRITE, "/x|v"), "OK|");
	ck_says("its home", ask(&guest, XS_WRITE, "name|Domain-0"), "OK|");
	ck_says("read", say(world, world->dom0, XS_READ, "/local/domain/0/name|"), "Domain-0");
	ck_says("introduced", say(world, world->dom0, XS_IS_DOMAIN_INTRODUCED, "0|"), "T|");
	ck_assert_uint_eq(guest.page->server_features | guest.page->error, 0);
	guest.page->req_prod += 5000;
	settle(&guest);
	ck_assert_uint_eq(guest.page->error, 0);
	world_free(world);
}
END_TEST

START_TEST(deaths)
{
	struct world *world = world_new();
	struct connection *watcher = world_socket(world);

	say(world, watcher, XS_WATCH, "@releaseDomain|t|");
	events(watcher);
	world_guest(world, 1);
	world_guest(world, 2);
	domains_scan(&world->store);
	ck_says("nothing happened", events(watcher), "");
	world->domain[1].shutdown = true;
	domains_scan(&world->store);
	ck_says("shut down", events(watcher), "@releaseDomain:t");
	domains_scan(&world->store);
	ck_says("is old news", events(watcher), "");
	ck_says("resumed", say(world, world->dom0, XS_RESUME, "1|"), "OK|");
	domains_scan(&world->store);
	ck_says("shut down again", events(watcher), "@releaseDomain:t");
	world->domain[1].dying = true;
	domains_scan(&world->store);
	ck_says("dying", events(watcher), "@releaseDomain:t");
	ck_says("gone", say(world, world->dom0, XS_IS_DOMAIN_INTRODUCED, "1|"), "F|");
	ck_assert(!world->domain[1].mapped);
	world->domain[1].exists = world->domain[2].exists = false;
	domains_scan(&world->store);
	ck_says("the other", events(watcher), "@releaseDomain:t");
	world_free(world);
}
END_TEST

/* xenconsoled maps the console of one that has its nodes, introduced or not. */
START_TEST(death_before_introduction)
{
	struct world *world = world_new();

	say(world, world->dom0, XS_WATCH, "@releaseDomain|t|");
	events(world->dom0);
	world->domain[3].exists = true;
	say(world, world->dom0, XS_WRITE, "/local/domain/3/console/ring-ref|7");
	say(world, world->dom0, XS_SET_PERMS, "/local/domain/3|n3|");
	domains_scan(&world->store);
	ck_says("it lives", events(world->dom0), "");
	world->domain[3].exists = false;
	domains_scan(&world->store);
	ck_says("it is gone", events(world->dom0), "@releaseDomain:t");
	domains_scan(&world->store);
	ck_says("once", events(world->dom0), "");
	world_free(world);
}
END_TEST

/* Guests choose the paths and tokens; which of them meet in a table they must not know. */
START_TEST(pending_is_salted)
{
	struct output one, other;

	output_init(&one, 1);
	output_init(&other, 2);
	ck_assert_int_eq(output_event(&one, "/a", "t", NULL, 0), 0);
	ck_assert_int_eq(output_event(&other, "/a", "t", NULL, 0), 0);
	ck_assert_uint_ne(TAILQ_FIRST(&one.queue)->link.hash, TAILQ_FIRST(&other.queue)->link.hash);
	output_clear(&one);
	output_clear(&other);
}
END_TEST

/* Whoever pauses later does not put off those that did before. */
START_TEST(pauses)
{
	struct world *world = world_new();
	struct connection *first = world_guest(world, 1), *second = world_guest(world, 2);
	struct store *store = &world->store;

	ck_assert_uint_eq(connections_resume(store), 0);
	store->now = 1000;
	connection_pause(first);
	store->now += 50;
	connection_pause(second);
	ck_assert_uint_eq(connections_resume(store), first->paused);
	store->now = first->paused;
	ck_assert_uint_eq(connections_resume(store), second->paused);
	store->now = second->paused;
	ck_assert_uint_eq(connections_resume(store), 0);
	world_free(world);
}
END_TEST

/* A guest that doesn't read stops being served, and goes on when it does. */
START_TEST(slow_reader)
{
	struct world *world = world_new();
	struct guest guest = guest_new(world, 1);
	char bytes[64];
	size_t size = request(bytes, XS_GET_DOMAIN_PATH, "7|");
	unsigned sent = 0, answered = 0;

	for (int i = 0; i < 1000; i++) {
		if (guest.page->req_prod - guest.page->req_cons + size <= XENSTORE_RING_SIZE) {
			put(&guest, bytes, size);
			sent++;
		}
		settle(&guest);
	}
	/* In the ring, waiting as replies, waiting as requests. */
	ck_assert_uint_lt(sent, 2 * XENSTORE_RING_SIZE / size + 20 + 300);
	ck_assert_uint_le(guest.connection->output.replies, 20);
	while (receive(&guest) == XS_GET_DOMAIN_PATH)
		answered++;
	ck_assert_uint_eq(sent, answered);
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_ring");
	TCase *tc = tcase_create("store_ring");

	tcase_add_test(tc, advertised);
	tcase_add_test(tc, cannot_be_introduced);
	tcase_add_test(tc, split_messages);
	tcase_add_test(tc, large_messages);
	tcase_add_loop_test(tc, bad_indices, 0, TABLE_SIZE(indices));
	tcase_add_loop_test(tc, too_long_a_request, 0, 3);
	tcase_add_test(tc, our_indices_are_ours);
	tcase_add_test(tc, reconnection);
	tcase_add_test(tc, dom0_ring);
	tcase_add_test(tc, deaths);
	tcase_add_test(tc, death_before_introduction);
	tcase_add_test(tc, pauses);
	tcase_add_test(tc, pending_is_salted);
	tcase_add_test(tc, slow_reader);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
