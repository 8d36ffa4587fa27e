/* The rate that a guest may send at: as text, as numbers, and of a queue. */
#include <errno.h>

#include "backend/net/rate.h"
#include "tests/unit/check.h"
#include "tests/unit/net_guest.h"

static const struct {
	const char *text;
	int rc;
	uint64_t bytes, interval_ns;
} texts[] = {
	{"62500,50000", 0, 62500, 50000000},
	{"1,4294967295", 0, 1, 4294967295000},
	{"18446744073709551615,1", 0, UINT64_MAX, 1000},
	{"0,50000", 0, 0, 0},
	{"62500,0", 0, 0, 0},
	{"", -EINVAL, 7, 7},
	{"62500", -EINVAL, 7, 7},
	{"62500,", -EINVAL, 7, 7},
	{",50000", -EINVAL, 7, 7},
	{"62500,50000,1", -EINVAL, 7, 7},
	{"62500,4294967296", -EINVAL, 7, 7},
	{"18446744073709551616,1", -EINVAL, 7, 7},
	{"10Mb/s", -EINVAL, 7, 7},
};

START_TEST(from_text)
{
	struct net_rate rate = {.bytes = 7, .interval_ns = 7};

	ck_assert_msg(net_rate_parse(texts[_i].text, &rate) == texts[_i].rc, "%s", texts[_i].text);
	ck_assert_msg(rate.bytes == texts[_i].bytes, "%s", texts[_i].text);
	ck_assert_msg(rate.interval_ns == texts[_i].interval_ns, "%s", texts[_i].text);
}
END_TEST

/* Over a second, from a full bucket: the rate, and what one interval holds. */
START_TEST(over_time)
{
	static const uint64_t lengths[] = {60, 1514, 65535};
	uint64_t now = 5000, sent = 0, length = lengths[_i];
	struct net_rate rate;

	ck_assert_int_eq(net_rate_parse("62500,50000", &rate), 0);
	while (now < 1000005000) {
		uint64_t wait = net_rate_wait(&rate, now);

		now += wait;
		if (wait)
			continue;
		net_rate_take(&rate, length, now);
		sent += length;
	}
	ck_assert_uint_ge(sent, 1250000);
	ck_assert_uint_le(sent, 1250000 + 62500 + 2 * length);
}
END_TEST

/* However little is allowed, the next packet has its time. */
START_TEST(debts_are_bounded)
{
	struct net_rate rate;

	ck_assert_int_eq(net_rate_parse("1,4294967295", &rate), 0);
	for (int n = 0; n < 10; n++) {
		uint64_t now = rate.paid_ns;

		net_rate_take(&rate, 65535, now);
		ck_assert_uint_le(net_rate_wait(&rate, now), 3600ull * 1000000000);
	}
}
END_TEST

/* ---- a queue ---- */

static struct guest *guest;
static struct net_rate limit;

static void setup(void)
{
	guest = guest_make();
	ck_assert_int_eq(net_rate_parse("10000,50000000", &limit), 0);
	guest->config.rate = &limit;
	ck_assert_int_eq(guest_open(guest), 0);
}

static void teardown(void)
{
	guest_free(guest);
}

/* The rest stays on the ring, whatever the guest does meanwhile, and goes in its time. */
START_TEST(waits_on_the_ring)
{
	for (uint32_t n = 0; n < 30; n++)
		guest_send(guest, n, 0, 1000, 0);
	guest_push(guest);
	ck_assert_uint_ge(answered_tx(guest), 10);
	ck_assert_uint_lt(answered_tx(guest), 30);
	for (int n = 0; n < 20; n++)
		guest_kick(guest, GUEST_TX_PORT);
	ck_assert_uint_lt(answered_tx(guest), 30);
	for (int n = 0; n < 4; n++)
		guest_wait(guest, 50000);
	ck_assert_uint_eq(answered_tx(guest), 30);
}
END_TEST

/* What is not sent costs nothing. */
START_TEST(faults_are_free)
{
	for (uint32_t n = 0; n < 20; n++)
		guest_send(guest, n, 4000, 1000, 0);
	guest_send(guest, 1, 0, 1000, 0);
	guest_push(guest);
	ck_assert_uint_eq(answered_tx(guest), 21);
	ck_assert_int_eq(guest_tx_response(guest, GUEST_START + 20).status, NETIF_RSP_OKAY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_rate");
	TCase *pure = tcase_create("rate"), *queue = tcase_create("queue");

	tcase_add_loop_test(pure, from_text, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_loop_test(pure, over_time, 0, 3);
	tcase_add_test(pure, debts_are_bounded);
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(queue, setup, teardown);
	tcase_add_test(queue, waits_on_the_ring);
	tcase_add_test(queue, faults_are_free);
	suite_add_tcase(suite, queue);
	return check_main(suite);
}
