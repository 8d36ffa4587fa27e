#include "tests/unit/front_net_bench.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/check.h"

struct bench bench;

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

void back_put(const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), BACK "/%s", name);
	fake_put(&bench.fake, path, value);
}

void back_attach(void)
{
	bench.tx = (void *)fake_page(&bench.fake, fake_number(&bench.fake, FRONT "/tx-ring-ref"));
	bench.rx = (void *)fake_page(&bench.fake, fake_number(&bench.fake, FRONT "/rx-ring-ref"));
	bench.tx_at = bench.tx_done = bench.rx_at = 0;
	ck_assert_uint_eq(bench.rx->req_prod, 256);
	for (unsigned i = 0; i < 256; i++)
		bench.rx_gref[i] = bench.rx->ring[i].req.gref;
}

void bench_open(const char *absent)
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

void bench_connect(const char *absent)
{
	bench_open(absent);
	fake_set(&bench.fake, BACK "/state", "2");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "4");
	ck_assert(!bench.carrier);
	back_attach();
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert(bench.carrier);
}

void bench_close(void)
{
	netfront_destroy(bench.front);
	fake_empty(&bench.fake);
}

static const uint8_t vlan_tag[] = {0x81, 0x00, 0x00, 0x07};

void frame_make(uint8_t *frame, size_t length, int version, uint8_t protocol, unsigned seed)
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
