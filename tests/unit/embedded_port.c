/* The word of an event channel (embedded/port.c): delivered once, never lost. */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "embedded/port.h"
#include "tests/unit/check.h"

#define GENERATION 9u

static struct shared_port port;

static void setup(void)
{
	memset(&port, 0, sizeof(port));
	port_open(&port, GENERATION, false);
}

START_TEST(once_until_unmasked)
{
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_DELIVER);
	port_delivered(&port, GENERATION);
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_HELD);
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_HELD);
	ck_assert_int_eq(port_unmask(&port), PORT_DELIVER);
	port_delivered(&port, GENERATION);
	ck_assert_int_eq(port_unmask(&port), PORT_HELD);
	ck_assert_int_eq(port_unmask(&port), PORT_HELD);
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_DELIVER);
}
END_TEST

START_TEST(masked_from_the_start)
{
	port_open(&port, GENERATION, true);
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_HELD);
	ck_assert_int_eq(port_unmask(&port), PORT_DELIVER);
	port_open(&port, GENERATION + 1, false);
	port_mask(&port);
	ck_assert_int_eq(port_raise(&port, GENERATION + 1), PORT_HELD);
}
END_TEST

/* Who was about to notify a port that was closed meanwhile does not disturb the next one. */
START_TEST(stale)
{
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_DELIVER);
	port_shut(&port);
	ck_assert_uint_eq(port_generation(&port), 0);
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_STALE);
	ck_assert_int_eq(port_raise(&port, 0), PORT_STALE);
	ck_assert_int_eq(port_unmask(&port), PORT_STALE);

	port_open(&port, GENERATION + 1, false);
	port_delivered(&port, GENERATION);
	ck_assert(!port_recover(&port));
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_STALE);
	ck_assert_int_eq(port_raise(&port, GENERATION + 1), PORT_DELIVER);
}
END_TEST

START_TEST(killed_while_delivering)
{
	ck_assert(!port_recover(&port));
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_DELIVER);
	ck_assert(port_recover(&port));
	ck_assert(!port_recover(&port));
	ck_assert_int_eq(port_raise(&port, GENERATION), PORT_HELD);
	ck_assert_int_eq(port_unmask(&port), PORT_DELIVER);
	port_delivered(&port, GENERATION);
	ck_assert(!port_recover(&port));
}
END_TEST

START_TEST(links)
{
	struct port_link link = {.domid = 0x7fef, .port = 4095, .generation = UINT32_MAX};
	struct port_link back = port_link_unpack(port_link_pack(link));

	ck_assert_uint_eq(back.domid, link.domid);
	ck_assert_uint_eq(back.port, link.port);
	ck_assert_uint_eq(back.generation, link.generation);
}
END_TEST

#define ROUNDS 50000

static struct {
	sem_t tokens;
	_Atomic uint32_t work; /* what an event announces */
} race;

static void *notify_often(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		atomic_fetch_add(&race.work, 1);
		if (port_raise(&port, GENERATION) == PORT_DELIVER) {
			sem_post(&race.tokens);
			port_delivered(&port, GENERATION);
		}
	}
	return NULL;
}

/* The reader takes a token, unmasks, does what there is to do, and waits again: if a wakeup
 * were lost, work would be left and no token come. */
START_TEST(no_lost_wakeup)
{
	pthread_t threads[2];
	uint32_t done = 0;

	sem_init(&race.tokens, 0, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, notify_often, NULL), 0);
	while (done < 2 * ROUNDS) {
		sem_wait(&race.tokens);
		if (port_unmask(&port) == PORT_DELIVER) {
			sem_post(&race.tokens);
			port_delivered(&port, GENERATION);
		}
		done += atomic_exchange(&race.work, 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(done, 2 * ROUNDS);
	ck_assert(!port_recover(&port));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("embedded_port");
	TCase *tc = tcase_create("port");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, once_until_unmasked);
	tcase_add_test(tc, masked_from_the_start);
	tcase_add_test(tc, stale);
	tcase_add_test(tc, killed_while_delivering);
	tcase_add_test(tc, links);
	tcase_add_test(tc, no_lost_wakeup);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
