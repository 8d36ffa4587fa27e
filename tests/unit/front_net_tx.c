/* netfront: framing of what is sent, and a backend that lies about it. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "tests/unit/front_net_bench.h"

static void packet_lay(const uint8_t *frame, size_t length)
{
	struct net_chunk chunk[2];
	size_t first;

	ck_assert(netfront_reserve(bench.front, chunk));
	ck_assert_uint_ge(chunk[0].length + chunk[1].length, NETPACKET_MAX);
	first = length < chunk[0].length ? length : chunk[0].length;
	memcpy(chunk[0].data, frame, first);
	memcpy(chunk[1].data, frame + first, length - first);
}

/* One packet as a backend reads it. Return: its length. */
struct sent {
	uint8_t data[70000];
	size_t length;
	unsigned slots, extras;
	uint16_t flags;
	struct netif_extra_info extra;
};

static void back_respond(uint16_t id, int16_t status)
{
	bench.tx->ring[bench.tx_done++ % 256].rsp =
		(struct netif_tx_response){.id = id, .status = status};
	bench.tx->rsp_prod = bench.tx_done;
}

static struct netif_tx_request back_request(void)
{
	ck_assert_uint_ne(bench.tx_at, bench.tx->req_prod);
	return bench.tx->ring[bench.tx_at++ % 256].req;
}

static void back_take(struct sent *sent)
{
	struct netif_tx_request slot[NETPACKET_SLOTS];
	size_t rest = 0, at = 0;
	unsigned n = 0;

	memset(sent, 0, sizeof(*sent));
	slot[n++] = back_request();
	sent->flags = slot[0].flags;
	sent->length = slot[0].size;
	if (slot[0].flags & NETTXF_extra_info) {
		struct netif_tx_request extra = back_request();

		memcpy(&sent->extra, &extra, sizeof(sent->extra));
		ck_assert(!(sent->extra.flags & XEN_NETIF_EXTRA_FLAG_MORE));
		sent->extras++;
	}
	while (slot[n - 1].flags & NETTXF_more_data) {
		ck_assert_uint_lt(n, NETPACKET_SLOTS);
		slot[n] = back_request();
		rest += slot[n++].size;
	}
	slot[0].size = (uint16_t)(slot[0].size - rest);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_le(slot[i].offset + slot[i].size, 4096);
		ck_assert(bench.fake.readonly[slot[i].gref]);
		memcpy(sent->data + at, fake_page(&bench.fake, slot[i].gref) + slot[i].offset,
		       slot[i].size);
		at += slot[i].size;
	}
	ck_assert_uint_eq(at, sent->length);
	sent->slots = n;
	for (unsigned i = 0; i < n; i++) {
		back_respond(slot[i].id, NETIF_RSP_OKAY);
		if (!i && sent->extras)
			back_respond(0x5555, NETIF_RSP_NULL);
	}
}

#define BLANK_TCP4                                                              \
	{                                                                       \
		.checksum_blank = true, .checksum_start = 34, .checksum_at = 50 \
	}
#define BLANK_TCP6                                                              \
	{                                                                       \
		.checksum_blank = true, .checksum_start = 54, .checksum_at = 70 \
	}
#define BLANK_UDP4                                                              \
	{                                                                       \
		.checksum_blank = true, .checksum_start = 34, .checksum_at = 40 \
	}
#define GSO_TCP4                                                                 \
	{                                                                        \
		.checksum_blank = true, .checksum_start = 34, .checksum_at = 50, \
		.gso = NET_GSO_TCPV4, .gso_size = 1448                           \
	}
#define GSO_TCP6                                                                 \
	{                                                                        \
		.checksum_blank = true, .checksum_start = 54, .checksum_at = 70, \
		.gso = NET_GSO_TCPV6, .gso_size = 1428                           \
	}

static const struct {
	const char *what, *absent;
	size_t length;
	uint16_t version, protocol;
	struct netpacket_meta meta;
	int rc;
	uint16_t slots;
	uint16_t flags; /* of the first slot, but for more_data and extra_info */
	bool filled;    /* the checksum is right when it leaves */
} sends[] = {
	{"the shortest", "", 14, 4, 6, {0}, 0, 1, 0, false},
	{"too short", "", 13, 4, 6, {0}, -EMSGSIZE, 0, 0, false},
	{"empty", "", 0, 4, 6, {0}, -EMSGSIZE, 0, 0, false},
	{"a page", "", 4096, 4, 6, {0}, 0, 1, 0, false},
	{"a page and a byte", "", 4097, 4, 6, {0}, 0, 2, 0, false},
	{"two pages", "", 8192, 4, 6, {0}, 0, 2, 0, false},
	{"the longest", "", 65535, 4, 6, {0}, 0, 16, 0, false},
	{"too long", "", 65536, 4, 6, {0}, -EMSGSIZE, 0, 0, false},
	{"two slots to a backend of one", "feature-sg", 4097, 4, 6, {0}, -EMSGSIZE, 0, 0, false},
	{"vouched for", "", 60, 4, 6, {.validated = true}, 0, 1, NETTXF_data_validated, false},
	{"blank, TCP, IPv4", "", 1514, 4, 6, BLANK_TCP4, 0, 1,
	 NETTXF_csum_blank | NETTXF_data_validated, false},
	{"blank, UDP, IPv4", "", 1514, 4, 17, BLANK_UDP4, 0, 1,
	 NETTXF_csum_blank | NETTXF_data_validated, false},
	{"blank, TCP, IPv6", "", 1514, 6, 6, BLANK_TCP6, 0, 1,
	 NETTXF_csum_blank | NETTXF_data_validated, false},
	{"blank, IPv6, to a backend that does not", "feature-ipv6-csum-offload", 1515, 6, 6,
	 BLANK_TCP6, 0, 1, 0, true},
	{"blank, of a protocol that netif does not know", "", 9001, 4, 132, BLANK_TCP4, 0, 3, 0,
	 true},
	{"blank, over pages, an odd start",
	 "",
	 9001,
	 4,
	 132,
	 {.checksum_blank = true, .checksum_start = 35, .checksum_at = 4095},
	 0,
	 3,
	 0,
	 true},
	{"blank, in a VLAN",
	 "",
	 1518,
	 14,
	 6,
	 {.checksum_blank = true, .checksum_start = 38, .checksum_at = 54},
	 0,
	 1,
	 0,
	 true},
	{"GSO in a VLAN",
	 "",
	 60000,
	 14,
	 6,
	 {.checksum_blank = true,
	  .checksum_start = 38,
	  .checksum_at = 54,
	  .gso = NET_GSO_TCPV4,
	  .gso_size = 1448},
	 -EOPNOTSUPP,
	 0,
	 0,
	 false},
	{"GSO, IPv4", "", 60000, 4, 6, GSO_TCP4, 0, 15, NETTXF_csum_blank | NETTXF_data_validated,
	 false},
	{"GSO, IPv6", "", 60000, 6, 6, GSO_TCP6, 0, 15, NETTXF_csum_blank | NETTXF_data_validated,
	 false},
	{"GSO in one slot", "", 3000, 4, 6, GSO_TCP4, 0, 1,
	 NETTXF_csum_blank | NETTXF_data_validated, false},
	{"GSO that was not offered", "feature-gso-tcpv6", 60000, 6, 6, GSO_TCP6, -EOPNOTSUPP, 0, 0,
	 false},
	{"GSO of what is not TCP", "", 60000, 4, 17, GSO_TCP4, -EOPNOTSUPP, 0, 0, false},
	{"GSO of segments of 0",
	 "",
	 3000,
	 4,
	 6,
	 {.gso = NET_GSO_TCPV4, .checksum_blank = true},
	 -EOPNOTSUPP,
	 0,
	 0,
	 false},
};

static uint16_t sum_of(const uint8_t *data, size_t length)
{
	return netsum_fold(netsum_add(0, data, length));
}

START_TEST(send_framing)
{
	const struct netpacket_meta *meta = &sends[_i].meta;
	uint8_t frame[65536];
	struct sent sent;
	int rc;

	bench_connect(sends[_i].absent);
	frame_make(frame, sends[_i].length, sends[_i].version, (uint8_t)sends[_i].protocol, 7);
	if (sends[_i].filled)
		memset(frame + meta->checksum_at, 0, 2);
	packet_lay(frame, sends[_i].length < NETPACKET_MAX ? sends[_i].length : NETPACKET_MAX);
	rc = netfront_send(bench.front, meta, sends[_i].length);
	ck_assert_msg(rc == sends[_i].rc, "%s: %d", sends[_i].what, rc);
	netfront_flush(bench.front);
	if (rc) {
		ck_assert_uint_eq(bench.tx->req_prod, 0);
		bench_close();
		return;
	}
	back_take(&sent);
	ck_assert_msg(sent.slots == sends[_i].slots, "%s: %u slots", sends[_i].what, sent.slots);
	ck_assert_uint_eq(sent.flags & (NETTXF_csum_blank | NETTXF_data_validated),
			  sends[_i].flags);
	ck_assert_uint_eq(sent.length, sends[_i].length);
	if (sends[_i].filled) {
		ck_assert_uint_eq(sum_of(sent.data + meta->checksum_start,
					 sent.length - meta->checksum_start),
				  0);
		memset(sent.data + meta->checksum_at, 0, 2);
	}
	ck_assert(!memcmp(sent.data, frame, sent.length));
	ck_assert_uint_eq(sent.extras, meta->gso != NET_GSO_NONE);
	if (sent.extras) {
		ck_assert_uint_eq(sent.extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
		ck_assert_uint_eq(sent.extra.u.gso.size, meta->gso_size);
		ck_assert_uint_eq(sent.extra.u.gso.type, meta->gso);
	}
	ck_assert(netfront_reap(bench.front));
	ck_assert(!bench.broken);
	bench_close();
}
END_TEST

/* The window wraps, responses come out of order: what arrives is what was sent. */
START_TEST(send_random)
{
	static uint8_t frame[40][65536];
	static struct sent sent;
	size_t length[40];

	bench_connect("");
	srandom((unsigned)_i);
	for (int round = 0; round < 200; round++) {
		struct net_chunk chunk[2];
		unsigned count = 0, want = 1 + fake_random(39);

		while (count < want && netfront_reserve(bench.front, chunk)) {
			struct netpacket_meta plain = {0}, gso = GSO_TCP4;

			length[count] = 60 + fake_random(fake_random(3) ? 1500 : 65000);
			frame_make(frame[count], length[count], 4, 6, (unsigned)random());
			packet_lay(frame[count], length[count]);
			ck_assert_int_eq(netfront_send(bench.front,
						       length[count] > 1514 ? &gso : &plain,
						       length[count]),
					 0);
			count++;
		}
		ck_assert_uint_gt(count, 0);
		netfront_flush(bench.front);
		for (unsigned i = 0; i < count; i++) {
			back_take(&sent);
			ck_assert_uint_eq(sent.length, length[i]);
			ck_assert(!memcmp(sent.data, frame[i], length[i]));
		}
		netfront_reap(bench.front);
		ck_assert_msg(!bench.broken, "%s", bench.broken);
	}
	bench_close();
}
END_TEST

/* A page that is still out keeps all behind it waiting, however many slots are free. */
START_TEST(send_out_of_order)
{
	static uint8_t frame[60];
	struct netpacket_meta meta = {0};
	struct net_chunk chunk[2];
	unsigned sent = 0, more;

	bench_connect("");
	for (; netfront_reserve(bench.front, chunk); sent++)
		ck_assert_int_eq(netfront_send(bench.front, &meta, sizeof(frame)), 0);
	netfront_flush(bench.front);
	for (unsigned id = 1; id < sent; id++)
		back_respond((uint16_t)id, NETIF_RSP_OKAY);
	ck_assert(netfront_reap(bench.front));
	for (more = 0; netfront_reserve(bench.front, chunk); more++)
		ck_assert_int_eq(netfront_send(bench.front, &meta, sizeof(frame)), 0);
	ck_assert_uint_le(more, 16); /* as many as are not behind it */
	netfront_flush(bench.front);
	back_respond(0, NETIF_RSP_OKAY);
	ck_assert(netfront_reap(bench.front));
	ck_assert(netfront_reserve(bench.front, chunk));
	bench_close();
}
END_TEST

static void answer_truth(uint16_t id)
{
	back_respond(id, NETIF_RSP_OKAY);
}
static void answer_error(uint16_t id)
{
	back_respond(id, NETIF_RSP_ERROR);
}
static void answer_beyond(uint16_t id)
{
	back_respond(256, NETIF_RSP_OKAY);
}
static void answer_other(uint16_t id)
{
	back_respond((uint16_t)(id + 2), NETIF_RSP_OKAY);
}
static void answer_twice(uint16_t id)
{
	back_respond(id, NETIF_RSP_OKAY);
	back_respond(id, NETIF_RSP_OKAY);
}
static void answer_null(uint16_t id)
{
	back_respond(id, NETIF_RSP_NULL);
}
static void answer_too_many(uint16_t id)
{
	bench.tx->rsp_prod = 3;
}
static void answer_far(uint16_t id)
{
	bench.tx->rsp_prod = 0x80000000;
}
static void answer_backwards(uint16_t id)
{
	bench.tx->rsp_prod = (RING_IDX)-1;
}

static const struct {
	const char *what;
	void (*answer)(uint16_t id);
	const char *reason; /* a part of it; NULL: the device goes on */
} answers[] = {
	{"the truth", answer_truth, NULL},
	{"an error", answer_error, NULL},
	{"an id beyond the window", answer_beyond, "not outstanding"},
	{"an id that is not outstanding", answer_other, "not outstanding"},
	{"twice the same id", answer_twice, "not outstanding"},
	{"an extra that was not there", answer_null, "not outstanding"},
	{"more than was asked", answer_too_many, "more packets"},
	{"rsp_prod far ahead", answer_far, "more packets"},
	{"rsp_prod backwards", answer_backwards, "more packets"},
};

START_TEST(hostile_send_responses)
{
	static uint8_t frame[100];
	struct netpacket_meta meta = {0};
	struct net_chunk chunk[2];

	bench_connect("");
	for (int i = 0; i < 2; i++) {
		packet_lay(frame, sizeof(frame));
		ck_assert_int_eq(netfront_send(bench.front, &meta, sizeof(frame)), 0);
	}
	netfront_flush(bench.front);
	answers[_i].answer(back_request().id);
	netfront_reap(bench.front);
	ck_assert_msg((bench.broken != NULL) == (answers[_i].reason != NULL), "%s",
		      answers[_i].what);
	if (bench.broken) {
		ck_assert_ptr_nonnull(strstr(bench.broken, answers[_i].reason));
		ck_assert(!bench.carrier);
		ck_assert(!netfront_reserve(bench.front, chunk));
		ck_assert_int_eq(netfront_send(bench.front, &meta, 60), -ENOTCONN);
		netfront_leave(bench.front, bench.broken);
		ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "5");
		fake_set(&bench.fake, BACK "/state", "6");
		ck_assert_uint_eq(bench.ended, 1);
	}
	bench_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front_net_tx");
	TCase *tc = tcase_create("front_net_tx");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, send_framing, 0, TABLE_SIZE(sends));
	tcase_add_loop_test(tc, send_random, 1, 5);
	tcase_add_test(tc, send_out_of_order);
	tcase_add_loop_test(tc, hostile_send_responses, 0, TABLE_SIZE(answers));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
