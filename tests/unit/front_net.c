/* netfront: framing both ways, checksums, and a backend that lies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/core/netfront.h"
#include "frontend/process/options.h"
#include "frontend/process/vnet.h"
#include "tests/unit/check.h"
#include "tests/unit/front_fake.h"

#define FRONT "device/vif/0"
#define BACK  "/local/domain/0/backend/vif/5/0"

/* The backend's end, and the frontend's owner. */
static struct {
	struct fake fake;
	struct netfront *front;
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	RING_IDX tx_at, tx_done, rx_at;    /* requests seen, answered; receive slots used */
	uint32_t rx_gref[256];             /* of each slot: responses overwrite requests */
	const struct netfeatures *carrier; /* what it can do; NULL: not connected */
	unsigned ended;
	const char *broken;
} bench;

static void owner_carrier(void *arg, const struct netfeatures *features)
{
	bench.carrier = features;
}

static bool owner_event(void *arg)
{
	return true;
}

static void owner_broken(void *arg, const char *reason)
{
	bench.broken = reason;
}

static void owner_ended(void *arg)
{
	bench.ended++;
}

static const struct netfront_events events = {
	.carrier = owner_carrier,
	.event = owner_event,
	.broken = owner_broken,
	.ended = owner_ended,
};

static void back_put(const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), BACK "/%s", name);
	fake_put(&bench.fake, path, value);
}

static void back_attach(void)
{
	bench.tx = (void *)fake_page(&bench.fake, fake_number(&bench.fake, FRONT "/tx-ring-ref"));
	bench.rx = (void *)fake_page(&bench.fake, fake_number(&bench.fake, FRONT "/rx-ring-ref"));
	bench.tx_at = bench.tx_done = bench.rx_at = 0;
	ck_assert_uint_eq(bench.rx->req_prod, 256);
	for (unsigned i = 0; i < 256; i++)
		bench.rx_gref[i] = bench.rx->ring[i].req.gref;
}

static void bench_open(const char *absent)
{
	static const char *const features[] = {"feature-rx-copy", "feature-sg", "feature-gso-tcpv4",
					       "feature-gso-tcpv6", "feature-ipv6-csum-offload"};

	memset(&bench, 0, sizeof(bench));
	fake_open(&bench.fake);
	fake_put(&bench.fake, FRONT "/backend", BACK);
	fake_put(&bench.fake, FRONT "/backend-id", "0");
	fake_put(&bench.fake, FRONT "/state", "1");
	back_put("online", "1");
	back_put("state", "1");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		back_put(features[i], !strcmp(features[i], absent) ? NULL : "1");
	ck_assert_int_eq(
		netfront_create(&bench.fake.platform, FRONT, &events, &bench, &bench.front), 0);
}

static void bench_connect(const char *absent)
{
	bench_open(absent);
	fake_set(&bench.fake, BACK "/state", "2");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "4");
	ck_assert(!bench.carrier);
	back_attach();
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert(bench.carrier);
}

static void bench_close(void)
{
	netfront_destroy(bench.front);
	fake_empty(&bench.fake);
}

/* A frame of @length bytes: Ethernet, IPv4 or IPv6, TCP or UDP, then bytes that @seed chooses;
 * version 14 is IPv4 in a VLAN. */
static const uint8_t vlan_tag[] = {0x81, 0x00, 0x00, 0x07};

static void frame_make(uint8_t *frame, size_t length, int version, uint8_t protocol, unsigned seed)
{
	uint8_t *ip = frame + (version == 14 ? 18 : 14);

	for (size_t i = 0; i < length; i++)
		frame[i] = (uint8_t)(seed = seed * 1103515245 + 12345, seed >> 16);
	if (length < 60 || !version)
		return;
	if (version == 14)
		memcpy(frame + 12, vlan_tag, sizeof(vlan_tag));
	memcpy(ip - 2, version == 6 ? "\x86\xdd" : "\x08\x00", 2);
	ip[0] = version == 6 ? 0x60 : 0x45;
	if (version != 6)
		ip[6] = ip[7] = 0;
	ip[version == 6 ? 6 : 9] = protocol;
}

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

/* Put a response and its part of the frame into the next receive slot. */
static size_t back_slot(const void *response, const uint8_t *data, size_t length, size_t offset)
{
	unsigned slot = bench.rx_at++ % 256;

	memcpy(&bench.rx->ring[slot].rsp, response, sizeof(bench.rx->ring[slot].rsp));
	if (offset + length > 4096)
		return 0;
	memcpy(fake_page(&bench.fake, bench.rx_gref[slot]) + offset, data, length);
	return length;
}

static uint16_t flags_scan(const char **script)
{
	uint16_t flags = 0;

	for (; **script && strchr("bvpxm", **script); (*script)++)
		flags |= **script == 'b'   ? NETRXF_csum_blank
			 : **script == 'v' ? NETRXF_data_validated
			 : **script == 'p' ? NETRXF_gso_prefix
			 : **script == 'x' ? NETRXF_extra_info
					   : NETRXF_more_data;
	return flags;
}

/* A packet as a backend delivers it: "d<length>[@offset]" a slot of data, flags before it (b blank,
 * v validated, p GSO prefix, x an extra follows, m more follows); "e<type>:<GSO type>:<size>[+]" an
 * extra, another follows; "!" an error. */
static void back_deliver(const char *script, const uint8_t *frame)
{
	while (*script) {
		struct netif_rx_response rsp = {.id = 0x7777}; /* says nothing */
		struct netif_extra_info extra = {0};
		unsigned length = 0, offset = 0, type, gso, size;
		int used = 1;

		rsp.flags = flags_scan(&script);
		if (sscanf(script, "e%u:%u:%u%n", &type, &gso, &size, &used) == 3) {
			extra.type = (uint8_t)type;
			extra.u.gso.type = (uint8_t)gso;
			extra.u.gso.size = (uint16_t)size;
			extra.flags = script[used] == '+';
			used += script[used] == '+';
			back_slot(&extra, frame, 0, 0);
		} else if (*script == '!') {
			rsp.status = NETIF_RSP_ERROR;
			back_slot(&rsp, frame, 0, 0);
		} else {
			ck_assert_int_eq(sscanf(script, "d%u%n", &length, &used), 1);
			if (sscanf(script, "d%u@%u", &length, &offset) == 2)
				used += 1 + (int)strspn(script + used + 1, "0123456789");
			rsp.offset = (uint16_t)offset;
			rsp.status = (int16_t)length;
			frame += back_slot(&rsp, frame, length, offset);
		}
		script += used;
		script += *script == ' ';
	}
	bench.rx->rsp_prod = bench.rx_at;
}

static const struct {
	const char *what, *script;
	int version; /* what the first slot's page holds: 4, 6, or 0 for no IP */
	uint8_t protocol;
	size_t length; /* of the packet; 0: it is dropped */
	bool blank;
	enum net_gso gso;
} receives[] = {
	{"one slot", "d60", 4, 6, 60, false, NET_GSO_NONE},
	{"with an offset", "d60@100", 4, 6, 60, false, NET_GSO_NONE},
	{"a whole page", "d4096", 4, 6, 4096, false, NET_GSO_NONE},
	{"two slots", "md1000 d500", 4, 6, 1500, false, NET_GSO_NONE},
	{"a headers' worth in slivers", "md14 md10 md10 md20 d100", 4, 6, 154, false, NET_GSO_NONE},
	{"an empty slot in between", "md60 md0 d40", 4, 6, 100, false, NET_GSO_NONE},
	{"blank, TCP", "bvd60", 4, 6, 60, true, NET_GSO_NONE},
	{"blank, IPv6, UDP", "bvd90", 6, 17, 90, true, NET_GSO_NONE},
	{"blank, but no IP", "bvd60", 0, 0, 0, false, NET_GSO_NONE},
	{"blank, cut before the checksum", "bvd40", 4, 6, 0, false, NET_GSO_NONE},
	{"GSO", "bvxmd2000 e1:1:1448 d4000", 4, 6, 6000, true, NET_GSO_TCPV4},
	{"GSO, IPv6", "bvxmd2000 e1:2:1428 d4000", 6, 6, 6000, true, NET_GSO_TCPV6},
	{"GSO without a blank checksum", "vxmd2000 e1:1:1448 d4000", 4, 6, 6000, true,
	 NET_GSO_TCPV4},
	{"GSO after a hash", "bvxd2000 e4:0:0+ e1:1:1448", 4, 6, 2000, true, NET_GSO_TCPV4},
	{"a hash alone", "xd60 e4:0:0", 4, 6, 60, false, NET_GSO_NONE},
	{"GSO of the wrong version", "bvxd2000 e1:2:1448", 4, 6, 0, false, NET_GSO_NONE},
	{"GSO of UDP", "bvxd2000 e1:1:1448", 4, 17, 0, false, NET_GSO_NONE},
	{"GSO of a type nobody defined", "bvxd2000 e1:3:1448", 4, 6, 0, false, NET_GSO_NONE},
	{"GSO of segments of 0", "bvxd2000 e1:1:0", 4, 6, 0, false, NET_GSO_NONE},
	{"an extra that was not asked for", "xd60 e2:0:0", 4, 6, 0, false, NET_GSO_NONE},
	{"an extra nobody defined", "xd60 e200:0:0", 4, 6, 0, false, NET_GSO_NONE},
	{"a GSO prefix", "pd60", 4, 6, 0, false, NET_GSO_NONE},
	{"an error", "!", 4, 6, 0, false, NET_GSO_NONE},
	{"an error in the middle", "md60 ! ", 4, 6, 0, false, NET_GSO_NONE},
	{"too short", "d13", 4, 6, 0, false, NET_GSO_NONE},
	{"nothing", "d0", 4, 6, 0, false, NET_GSO_NONE},
	{"a length beyond the page", "d4097", 4, 6, 0, false, NET_GSO_NONE},
	{"an offset beyond the page", "d60@4040", 4, 6, 0, false, NET_GSO_NONE},
	{"an offset far beyond", "d60@65535", 4, 6, 0, false, NET_GSO_NONE},
	{"the longest length", "d32767", 4, 6, 0, false, NET_GSO_NONE},
	{"20 slots",
	 "md90 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 d9", 4, 6,
	 261, false, NET_GSO_NONE},
	{"21 slots",
	 "md90 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 d9", 4,
	 6, 0, false, NET_GSO_NONE},
	{"17 pages",
	 "md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 "
	 "md4096 md4096 md4096 md4096 d4096",
	 4, 6, 0, false, NET_GSO_NONE},
};

static size_t packet_flatten(const struct netrx_packet *packet, uint8_t *to)
{
	size_t at = packet->head_length;

	memcpy(to, packet->head, at);
	for (uint32_t i = 0; i < packet->chunks; i++) {
		memcpy(to + at, packet->chunk[i].data, packet->chunk[i].length);
		at += packet->chunk[i].length;
	}
	return at;
}

START_TEST(receive_framing)
{
	static uint8_t flat[70000], frame[70000];
	struct netrx_packet packet;
	bool got;

	bench_connect("");
	frame_make(frame, sizeof(frame), receives[_i].version, receives[_i].protocol, 5);
	back_deliver(receives[_i].script, frame);
	got = netfront_receive(bench.front, &packet);
	ck_assert_msg(got == (receives[_i].length > 0), "%s", receives[_i].what);
	ck_assert(!bench.broken);
	if (got) {
		const struct netpacket_meta *meta = &packet.meta;

		ck_assert_uint_eq(packet.length, receives[_i].length);
		ck_assert_uint_eq(packet_flatten(&packet, flat), packet.length);
		ck_assert_msg(meta->checksum_blank == receives[_i].blank, "%s", receives[_i].what);
		ck_assert_uint_eq(meta->gso, receives[_i].gso);
		if (meta->checksum_blank) /* may have got its pseudo header's sum */
			memcpy(flat + meta->checksum_at, frame + meta->checksum_at, 2);
		ck_assert_msg(!memcmp(flat, frame, packet.length), "%s", receives[_i].what);
	} else {
		ck_assert_uint_eq(netfront_counters(bench.front).received_bad, 1);
	}
	ck_assert(!netfront_receive(bench.front, &packet));
	netfront_post(bench.front);
	ck_assert_uint_eq(bench.rx->req_prod, 256 + bench.rx_at);
	bench_close();
}
END_TEST

START_TEST(receive_in_parts)
{
	static uint8_t frame[4096];
	struct netrx_packet packet;

	bench_connect("");
	back_deliver("mxd100", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_uint_eq(bench.rx->rsp_event, 2); /* the rest is worth an event */
	back_deliver("e4:0:0", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_uint_eq(bench.rx->rsp_event, 3);
	back_deliver("d100", frame);
	ck_assert(netfront_receive(bench.front, &packet));
	ck_assert_uint_eq(packet.length, 200);
	bench_close();
}
END_TEST

START_TEST(hostile_receive_indices)
{
	static const RING_IDX producers[] = {257, 0x80000000, (RING_IDX)-1};
	struct netrx_packet packet;

	bench_connect("");
	bench.rx->rsp_prod = producers[_i];
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_ptr_nonnull(bench.broken);
	bench_close();
}
END_TEST

START_TEST(a_packet_that_never_ends)
{
	static uint8_t frame[4096];
	struct netrx_packet packet;

	bench_connect("");
	for (int i = 0; i < 255; i++)
		back_deliver("md60", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_ptr_null(bench.broken);
	back_deliver("md60", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_ptr_nonnull(bench.broken);
	bench_close();
}
END_TEST

/* Valid packets cut at random places, in slots at random offsets, come together again. */
START_TEST(receive_random)
{
	static uint8_t flat[70000], frame[70000];
	struct netrx_packet packet;

	bench_connect("");
	srandom((unsigned)_i);
	for (int round = 0; round < 3000; round++) {
		char script[1024] = "";
		size_t total = 0;
		int slots = 1 + (int)fake_random(NETRX_CHUNKS_MAX), at = 0;

		for (int i = 0; i < slots; i++) {
			unsigned offset = fake_random(4000), most = 4096 - offset;
			unsigned length = (i ? 0 : 14) + fake_random(most - 14);

			if (total + length > 65535)
				length = 1;
			at += snprintf(script + at, sizeof(script) - (size_t)at, "%sd%u@%u ",
				       i < slots - 1 ? "m" : "", length, offset);
			total += length;
		}
		frame_make(frame, total, 0, 0, (unsigned)random());
		back_deliver(script, frame);
		ck_assert_msg(netfront_receive(bench.front, &packet), "%s", script);
		ck_assert_uint_eq(packet.length, total);
		ck_assert_uint_eq(packet_flatten(&packet, flat), total);
		ck_assert(!memcmp(flat, frame, total));
		if (fake_random(4) == 0 || bench.rx->req_prod - bench.rx_at < NETRX_CHUNKS_MAX)
			netfront_post(bench.front);
	}
	bench_close();
}
END_TEST

START_TEST(rings_offered)
{
	bench_open("feature-gso-tcpv6");
	back_put("feature-split-event-channels", "1");
	back_put("feature-no-csum-offload", "1");
	fake_set(&bench.fake, BACK "/state", "2");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/event-channel"), "");
	ck_assert_uint_ne(fake_number(&bench.fake, FRONT "/event-channel-tx"),
			  fake_number(&bench.fake, FRONT "/event-channel-rx"));
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/request-rx-copy"), "1");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/feature-rx-notify"), "1");
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert(!bench.carrier->checksum_v4);
	ck_assert(!bench.carrier->gso_v4);
	ck_assert(!bench.carrier->gso_v6);

	/* A new backend that has one event channel only. */
	bench.fake.revoke_fails = true;
	back_put("feature-split-event-channels", NULL);
	fake_set(&bench.fake, BACK "/state", "2");
	ck_assert(!bench.carrier);
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/event-channel-tx"), "");
	ck_assert_str_ne(fake_get(&bench.fake, FRONT "/event-channel"), "");
	ck_assert_uint_eq(bench.fake.platform.limbo_pages, 2);
	back_attach();
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert(bench.carrier);
	bench.fake.revoke_fails = false;
	ck_assert_uint_eq(limbo_retry(&bench.fake.platform), 0);
	bench_close();
}
END_TEST

START_TEST(a_backend_that_flips)
{
	bench_open("feature-rx-copy");
	fake_set(&bench.fake, BACK "/state", "2");
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "6");
	bench_close();
}
END_TEST

/* As RFC 1071 has it, and with a carry out of 32 bits. */
START_TEST(sums)
{
	static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	uint8_t udp[64] = {[12] = 0x08, [14] = 0x45, [23] = 17,  [26] = 192, [27] = 0,
			   [28] = 2,    [29] = 1,    [30] = 192, [32] = 2,   [33] = 2};
	struct nethdr header;

	ck_assert_uint_eq(sum_of(rfc, sizeof(rfc)), 0x220d);
	ck_assert_uint_eq(sum_of(rfc, 7), (uint16_t)(0x220d + 0xf7));
	ck_assert_uint_eq(netsum_fold(netsum_add(UINT32_MAX, rfc, 8)),
			  netsum_fold(netsum_add(0, rfc, 8)));
	ck_assert_int_eq(nethdr_parse(udp, sizeof(udp), &header), 0);
	nethdr_pseudo(udp, &header, sizeof(udp));
	/* 192.0.2.1 and 192.0.2.2, protocol 17, length 30 */
	ck_assert_uint_eq(udp[40] << 8 | udp[41],
			  (0xc000 + 0x0201 + 0xc000 + 0x0202 + 17 + 30) % 0xffff);
}
END_TEST

static const struct {
	const char *what;
	struct virtio_net_hdr header;
	int rc;
} headers[] = {
	{"nothing", {0}, 0},
	{"vouched for", {.flags = VIRTIO_NET_HDR_F_DATA_VALID}, 0},
	{"blank", {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16}, 0},
	{"segments",
	 {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	  .csum_start = 34,
	  .csum_offset = 16,
	  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	  .gso_size = 1448,
	  .hdr_len = 54},
	 0},
	{"segments, IPv6",
	 {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	  .csum_start = 54,
	  .csum_offset = 16,
	  .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
	  .gso_size = 1428,
	  .hdr_len = 54},
	 0},
	{"UDP fragments", {.gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 1400}, -EINVAL},
	{"with ECN", {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN}, -EINVAL},
	{"a checksum far away",
	 {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 1},
	 -EINVAL},
};

START_TEST(vnet_headers_there_and_back)
{
	struct netpacket_meta meta;
	struct virtio_net_hdr header;

	ck_assert_msg(vnet_read(&headers[_i].header, &meta) == headers[_i].rc, "%s",
		      headers[_i].what);
	if (headers[_i].rc)
		return;
	vnet_write(&meta, 54, &header);
	ck_assert_msg(!memcmp(&header, &headers[_i].header, sizeof(header)), "%s",
		      headers[_i].what);
}
END_TEST

static const struct {
	const char *words[4];
	int rc;
	const char *eth0, *eth1, *gateway, *bad;
} lines[] = {
	{{NULL}, 0, NULL, NULL, NULL, NULL},
	{{"ip=192.0.2.2/24"}, 0, "192.0.2.2/24", NULL, NULL, NULL},
	{{"ip0=192.0.2.2/24", "ip1=2001:db8::2/64", "gw=192.0.2.1"},
	 0,
	 "192.0.2.2/24",
	 "2001:db8::2/64",
	 "192.0.2.1",
	 NULL},
	{{"ip=192.0.2.2/24", "ip0=192.0.2.3/24"}, -EEXIST, NULL, NULL, NULL, "ip0=192.0.2.3/24"},
	{{"ip=192.0.2.256/24"}, -EADDRNOTAVAIL, NULL, NULL, NULL, "ip=192.0.2.256/24"},
	{{"ip="}, -EADDRNOTAVAIL, NULL, NULL, NULL, "ip="},
	{{"gw=nowhere"}, -EADDRNOTAVAIL, NULL, NULL, NULL, "gw=nowhere"},
	{{"ip8=192.0.2.2/24"}, -EINVAL, NULL, NULL, NULL, "ip8=192.0.2.2/24"},
	{{"ip1=192.0.2.2/24", "verbose"}, -EINVAL, NULL, NULL, NULL, "verbose"},
};

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

START_TEST(command_lines)
{
	char *argv[6] = {(char *)"xsplit-guest"};
	struct options options = {0};
	const char *bad = NULL;
	int argc = 1;

	for (int i = 0; i < 4 && lines[_i].words[i]; i++)
		argv[argc++] = (char *)lines[_i].words[i];
	ck_assert_int_eq(options_parse(argc, argv, &options, &bad), lines[_i].rc);
	ck_assert(same(bad, lines[_i].bad));
	if (!bad)
		ck_assert(same(options.address[0], lines[_i].eth0) &&
			  same(options.address[1], lines[_i].eth1) &&
			  same(options.gateway, lines[_i].gateway));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front_net");
	TCase *tc = tcase_create("front_net");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, send_framing, 0, TABLE_SIZE(sends));
	tcase_add_loop_test(tc, send_random, 1, 5);
	tcase_add_test(tc, send_out_of_order);
	tcase_add_loop_test(tc, hostile_send_responses, 0, TABLE_SIZE(answers));
	tcase_add_loop_test(tc, receive_framing, 0, TABLE_SIZE(receives));
	tcase_add_test(tc, receive_in_parts);
	tcase_add_loop_test(tc, hostile_receive_indices, 0, 3);
	tcase_add_test(tc, a_packet_that_never_ends);
	tcase_add_loop_test(tc, receive_random, 1, 5);
	tcase_add_test(tc, rings_offered);
	tcase_add_test(tc, a_backend_that_flips);
	tcase_add_test(tc, sums);
	tcase_add_loop_test(tc, vnet_headers_there_and_back, 0, TABLE_SIZE(headers));
	tcase_add_loop_test(tc, command_lines, 0, TABLE_SIZE(lines));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
