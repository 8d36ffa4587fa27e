/* Many clients on a guest's one connection to XenStore: embedded/xenbus/mux.h and ring.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedded/xenbus/mux.h"
#include "embedded/xenbus/ring.h"
#include "tests/unit/check.h"

/* Two clients, and we are XenStore. */
static struct evbuffer *requests, *replies[2], *from[2], *responses;
static struct mux *mux;
static struct mux_client *client[2];

static void setup(void)
{
	requests = evbuffer_new();
	responses = evbuffer_new();
	mux = mux_create(requests);
	for (int i = 0; i < 2; i++) {
		replies[i] = evbuffer_new();
		from[i] = evbuffer_new();
		client[i] = mux_client_add(mux, replies[i]);
	}
}

static void teardown(void)
{
	mux_destroy(mux);
	for (int i = 0; i < 2; i++) {
		evbuffer_free(replies[i]);
		evbuffer_free(from[i]);
	}
	evbuffer_free(requests);
	evbuffer_free(responses);
}

struct message {
	struct xsd_sockmsg header;
	char body[XENSTORE_PAYLOAD_MAX];
};

static void put(struct evbuffer *to, uint32_t type, uint32_t req_id, uint32_t tx_id,
		const char *body, uint32_t size)
{
	struct xsd_sockmsg header = {.type = type, .req_id = req_id, .tx_id = tx_id, .len = size};

	evbuffer_add(to, &header, sizeof(header));
	evbuffer_add(to, body, size);
}

/* The next message there, which must be of @type; its body must be @body unless that is NULL. */
static struct message get(struct evbuffer *in, uint32_t type, const char *body, uint32_t size)
{
	struct message message;

	ck_assert_int_eq(evbuffer_remove(in, &message.header, sizeof(message.header)),
			 sizeof(message.header));
	ck_assert_uint_eq(message.header.type, type);
	ck_assert_int_eq(evbuffer_remove(in, message.body, message.header.len), message.header.len);
	if (body) {
		ck_assert_uint_eq(message.header.len, size);
		ck_assert(!memcmp(message.body, body, size));
	}
	return message;
}

#define TEXT(literal) literal, sizeof(literal)

static struct message ask(int who, uint32_t type, uint32_t req_id, uint32_t tx_id, const char *body,
			  uint32_t size)
{
	put(from[who], type, req_id, tx_id, body, size);
	ck_assert_int_eq(mux_requests(mux, client[who], from[who]), 0);
	return get(requests, type, NULL, 0);
}

static void answer(const struct message *request, uint32_t type, const char *body, uint32_t size)
{
	put(responses, type, request->header.req_id, request->header.tx_id, body, size);
	ck_assert_int_eq(mux_replies(mux, responses), 0);
}

START_TEST(replies_find_their_client)
{
	struct message first = ask(0, XS_READ, 7, 0, TEXT("a"));
	struct message second = ask(1, XS_READ, 7, 0, TEXT("b"));
	struct message got;

	ck_assert_uint_ne(first.header.req_id, second.header.req_id);
	answer(&second, XS_READ, "2", 1);
	answer(&first, XS_ERROR, TEXT("ENOENT"));
	got = get(replies[0], XS_ERROR, TEXT("ENOENT"));
	ck_assert_uint_eq(got.header.req_id, 7);
	got = get(replies[1], XS_READ, "2", 1);
	ck_assert_uint_eq(got.header.req_id, 7);
	answer(&first, XS_READ, "?", 1);
	ck_assert_uint_eq(evbuffer_get_length(replies[0]), 0);
}
END_TEST

START_TEST(events_find_their_client)
{
	struct message watch[2], event;

	for (int i = 0; i < 2; i++) {
		watch[i] = ask(i, XS_WATCH, 1, 0, TEXT("path\0token"));
		answer(&watch[i], XS_WATCH, TEXT("OK"));
		get(replies[i], XS_WATCH, TEXT("OK"));
	}
	ck_assert_uint_eq(watch[0].header.len, watch[1].header.len);
	ck_assert(memcmp(watch[0].body, watch[1].body, watch[0].header.len) != 0);

	put(responses, XS_WATCH_EVENT, 0, 0, watch[1].body, watch[1].header.len);
	ck_assert_int_eq(mux_replies(mux, responses), 0);
	ck_assert_uint_eq(evbuffer_get_length(replies[0]), 0);
	event = get(replies[1], XS_WATCH_EVENT, TEXT("path\0token"));
	ck_assert_uint_eq(event.header.req_id, 0);
}
END_TEST

static const struct {
	const char *what, *body;
	uint32_t size;
} bad_events[] = {
	{"empty", "", 0},
	{"no token", TEXT("path")},
	{"a token that is not ours", TEXT("path\0token")},
	{"a client that is not there", TEXT("path\0ff:token")},
	{"no end", "path\0001:token", 12},
	{"nothing but a NUL", "", 1},
};

START_TEST(events_of_nobody_are_dropped)
{
	put(responses, XS_WATCH_EVENT, 0, 0, bad_events[_i].body, bad_events[_i].size);
	ck_assert_int_eq(mux_replies(mux, responses), 0);
	ck_assert_msg(!evbuffer_get_length(replies[0]) && !evbuffer_get_length(replies[1]), "%s",
		      bad_events[_i].what);
}
END_TEST

START_TEST(a_watch_depth_is_passed_on)
{
	struct message watch = ask(0, XS_WATCH, 1, 0, TEXT("p\0t\0002"));

	ck_assert_str_eq(watch.body + 2, "1:t");
	ck_assert_str_eq(watch.body + 6, "2");
	ck_assert_uint_eq(watch.header.len, 8);
}
END_TEST

static const struct {
	const char *what, *body;
	uint32_t size;
} bad_watches[] = {
	{"empty", "", 0},
	{"no token", TEXT("path")},
	{"an open token", "path\0token", 10},
};

START_TEST(a_bad_watch_is_refused)
{
	put(from[0], XS_WATCH, 3, 0, bad_watches[_i].body, bad_watches[_i].size);
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	ck_assert_msg(!evbuffer_get_length(requests), "%s", bad_watches[_i].what);
	ck_assert_uint_eq(get(replies[0], XS_ERROR, TEXT("EINVAL")).header.req_id, 3);
}
END_TEST

START_TEST(a_token_that_gets_too_long_is_refused)
{
	char body[XENSTORE_PAYLOAD_MAX] = "p";

	memset(body + 2, 't', sizeof(body) - 3);
	put(from[0], XS_WATCH, 3, 0, body, sizeof(body));
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	get(replies[0], XS_ERROR, TEXT("E2BIG"));
	ck_assert_uint_eq(evbuffer_get_length(requests), 0);
}
END_TEST

START_TEST(a_request_too_long_ends_the_client)
{
	struct xsd_sockmsg header = {.type = XS_WRITE, .len = XENSTORE_PAYLOAD_MAX + 1};

	evbuffer_add(from[0], &header, sizeof(header));
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), -EPROTO);
}
END_TEST

START_TEST(a_request_in_pieces_waits)
{
	struct evbuffer *whole = evbuffer_new();

	put(whole, XS_READ, 1, 0, TEXT("path"));
	while (evbuffer_get_length(whole)) {
		ck_assert_uint_eq(evbuffer_get_length(requests), 0);
		evbuffer_remove_buffer(whole, from[0], 1);
		ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	}
	get(requests, XS_READ, TEXT("path"));
	evbuffer_free(whole);
}
END_TEST

static struct message transaction_start(int who, const char *id)
{
	struct message start = ask(who, XS_TRANSACTION_START, 1, 0, TEXT(""));

	answer(&start, XS_TRANSACTION_START, id, (uint32_t)strlen(id) + 1);
	return get(replies[who], XS_TRANSACTION_START, id, (uint32_t)strlen(id) + 1);
}

START_TEST(a_transaction_is_its_starters)
{
	struct message end;

	transaction_start(0, "5");
	put(from[1], XS_READ, 2, 5, TEXT("a"));
	ck_assert_int_eq(mux_requests(mux, client[1], from[1]), 0);
	get(replies[1], XS_ERROR, TEXT("ENOENT"));
	ask(0, XS_READ, 2, 5, TEXT("a"));
	end = ask(0, XS_TRANSACTION_END, 3, 5, TEXT("T"));
	answer(&end, XS_ERROR, TEXT("EAGAIN"));
	get(replies[0], XS_ERROR, TEXT("EAGAIN"));
	put(from[0], XS_READ, 4, 5, TEXT("a"));
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	get(replies[0], XS_ERROR, TEXT("ENOENT"));
}
END_TEST

START_TEST(what_a_client_leaves_is_undone)
{
	struct message watch = ask(0, XS_WATCH, 1, 0, TEXT("p\0t\0002"));
	struct message undone;

	answer(&watch, XS_WATCH, TEXT("OK"));
	get(replies[0], XS_WATCH, TEXT("OK"));
	transaction_start(0, "9");
	mux_client_remove(mux, client[0]);
	undone = get(requests, XS_UNWATCH, TEXT("p\0001:t"));
	ck_assert_uint_eq(undone.header.tx_id, 0);
	undone = get(requests, XS_TRANSACTION_END, TEXT("F"));
	ck_assert_uint_eq(undone.header.tx_id, 9);
	ck_assert_uint_eq(evbuffer_get_length(requests), 0);
}
END_TEST

START_TEST(what_was_under_way_is_undone_later)
{
	struct message watch = ask(0, XS_WATCH, 1, 0, TEXT("p\0t"));
	struct message failed = ask(0, XS_WATCH, 2, 0, TEXT("q\0t"));
	struct message start = ask(0, XS_TRANSACTION_START, 3, 0, TEXT(""));

	mux_client_remove(mux, client[0]);
	ck_assert_uint_eq(evbuffer_get_length(requests), 0);
	answer(&watch, XS_WATCH, TEXT("OK"));
	answer(&failed, XS_ERROR, TEXT("EEXIST"));
	answer(&start, XS_TRANSACTION_START, TEXT("4"));
	get(requests, XS_UNWATCH, TEXT("p\0001:t"));
	ck_assert_uint_eq(get(requests, XS_TRANSACTION_END, TEXT("F")).header.tx_id, 4);
	ck_assert_uint_eq(evbuffer_get_length(requests), 0);
}
END_TEST

START_TEST(an_unwatched_watch_is_forgotten)
{
	struct message watch = ask(0, XS_WATCH, 1, 0, TEXT("p\0t"));
	struct message unwatch;

	answer(&watch, XS_WATCH, TEXT("OK"));
	unwatch = ask(0, XS_UNWATCH, 2, 0, TEXT("p\0t"));
	ck_assert_uint_eq(unwatch.header.len, watch.header.len);
	ck_assert(!memcmp(unwatch.body, watch.body, watch.header.len));
	answer(&unwatch, XS_UNWATCH, TEXT("OK"));
	mux_client_remove(mux, client[0]);
	ck_assert_uint_eq(evbuffer_get_length(requests), 0);
}
END_TEST

START_TEST(reset_watches_is_of_one_client)
{
	struct message watch[2];

	for (int i = 0; i < 2; i++) {
		watch[i] = ask(i, XS_WATCH, 1, 0, TEXT("p\0t"));
		answer(&watch[i], XS_WATCH, TEXT("OK"));
	}
	evbuffer_drain(replies[0], evbuffer_get_length(replies[0]));
	put(from[0], XS_RESET_WATCHES, 5, 0, TEXT(""));
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	get(requests, XS_UNWATCH, watch[0].body, watch[0].header.len);
	ck_assert_uint_eq(evbuffer_get_length(requests), 0);
	get(replies[0], XS_RESET_WATCHES, TEXT("OK"));
}
END_TEST

START_TEST(only_so_many_are_under_way)
{
	struct message first, last;
	size_t sent, held;

	for (int i = 0; i < 1000; i++)
		put(from[0], XS_READ, (uint32_t)i, 0, TEXT("p"));
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	sent = evbuffer_get_length(requests);
	held = evbuffer_get_length(from[0]);
	ck_assert(sent && held && sent + held == 1000 * (sizeof(struct xsd_sockmsg) + 2));
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	ck_assert_uint_eq(evbuffer_get_length(from[0]), held);

	first = get(requests, XS_READ, TEXT("p"));
	evbuffer_drain(requests, evbuffer_get_length(requests));
	answer(&first, XS_READ, "", 0);
	ck_assert_int_eq(mux_requests(mux, client[0], from[0]), 0);
	last = get(requests, XS_READ, TEXT("p"));
	ck_assert_uint_ne(last.header.req_id, first.header.req_id);
}
END_TEST

START_TEST(a_reply_too_long_ends_all)
{
	struct xsd_sockmsg header = {.type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1};

	evbuffer_add(responses, &header, sizeof(header));
	ck_assert_int_eq(mux_replies(mux, responses), -EPROTO);
}
END_TEST

/* The indices run over the end of the stream and of their own range. */
START_TEST(ring_carries_bytes)
{
	static struct xenstore_domain_interface page;
	const uint32_t start = UINT32_MAX - 3000;
	uint8_t out = 0, in = 0;
	unsigned int wrong = 0;

	page.req_cons = page.req_prod = page.rsp_cons = page.rsp_prod = start;
	for (int i = 0; i < 1000; i++) {
		uint8_t bytes[700], got[XENSTORE_RING_SIZE];
		ssize_t n, taken;

		for (size_t b = 0; b < sizeof(bytes); b++)
			bytes[b] = (uint8_t)(out + b);
		n = ring_write(&page, bytes, sizeof(bytes));
		ck_assert_int_ge(n, 0);
		out = (uint8_t)(out + n);
		/* The other side hands everything back. */
		for (; page.req_cons != page.req_prod; page.req_cons++)
			page.rsp[MASK_XENSTORE_IDX(page.rsp_prod++)] =
				page.req[MASK_XENSTORE_IDX(page.req_cons)];
		taken = ring_read(&page, got, sizeof(got));
		ck_assert_int_eq(taken, n);
		for (ssize_t b = 0; b < taken; b++)
			wrong += got[b] != in++;
		ck_assert_uint_eq(wrong, 0);
	}
}
END_TEST

START_TEST(ring_is_filled_to_the_brim)
{
	static struct xenstore_domain_interface page;
	char bytes[2 * XENSTORE_RING_SIZE] = "";

	ck_assert_int_eq(ring_write(&page, bytes, sizeof(bytes)), XENSTORE_RING_SIZE);
	ck_assert_int_eq(ring_write(&page, bytes, 1), 0);
	page.req_cons = 10;
	ck_assert_int_eq(ring_write(&page, bytes, sizeof(bytes)), 10);
}
END_TEST

static const struct {
	const char *what;
	uint32_t cons, prod;
} bad_indices[] = {
	{"one too many", 0, XENSTORE_RING_SIZE + 1},
	{"the consumer in front", 1, 0},
	{"far apart", 0, 1u << 31},
};

START_TEST(ring_indices_are_checked)
{
	static struct xenstore_domain_interface page;
	char byte = 0;

	page.rsp_cons = page.req_cons = bad_indices[_i].cons;
	page.rsp_prod = page.req_prod = bad_indices[_i].prod;
	ck_assert_msg(ring_read(&page, &byte, 1) == -EPROTO, "%s", bad_indices[_i].what);
	ck_assert_msg(ring_write(&page, &byte, 1) == -EPROTO, "%s", bad_indices[_i].what);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("embedded_xenbus");
	TCase *tcase = tcase_create("mux");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, replies_find_their_client);
	tcase_add_test(tcase, events_find_their_client);
	tcase_add_loop_test(tcase, events_of_nobody_are_dropped, 0, TABLE_SIZE(bad_events));
	tcase_add_test(tcase, a_watch_depth_is_passed_on);
	tcase_add_loop_test(tcase, a_bad_watch_is_refused, 0, TABLE_SIZE(bad_watches));
	tcase_add_test(tcase, a_token_that_gets_too_long_is_refused);
	tcase_add_test(tcase, a_request_too_long_ends_the_client);
	tcase_add_test(tcase, a_request_in_pieces_waits);
	tcase_add_test(tcase, a_transaction_is_its_starters);
	tcase_add_test(tcase, what_a_client_leaves_is_undone);
	tcase_add_test(tcase, what_was_under_way_is_undone_later);
	tcase_add_test(tcase, an_unwatched_watch_is_forgotten);
	tcase_add_test(tcase, reset_watches_is_of_one_client);
	tcase_add_test(tcase, only_so_many_are_under_way);
	tcase_add_test(tcase, a_reply_too_long_ends_all);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("ring");
	tcase_add_test(tcase, ring_carries_bytes);
	tcase_add_test(tcase, ring_is_filled_to_the_brim);
	tcase_add_loop_test(tcase, ring_indices_are_checked, 0, TABLE_SIZE(bad_indices));
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
