/* Messages that wait for their socket, in order and with their descriptors. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fdpass.h"
#include "lib/outbox.h"
#include "tests/unit/check.h"

#define MAX 1000u

static struct event_base *base;
static struct outbox *outbox;
static int pair[2], fd;

static void set_up(void)
{
	base = event_base_new();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	fd = memfd_create("sent", MFD_CLOEXEC);
	ck_assert_int_eq(outbox_new(&outbox, base, pair[0], MAX), 0);
}

static void tear_down(void)
{
	int probe;

	outbox_free(outbox);
	close(fd);
	event_base_free(base);
	close(pair[0]);
	close(pair[1]);
	/* None of the copies of the descriptor is left. */
	probe = dup(STDERR_FILENO);
	ck_assert_int_lt(probe, 16);
	close(probe);
}

/* Until it is full. Return: so many were taken. */
static unsigned fill(void)
{
	unsigned n = 0;
	int rc;

	while (!(rc = outbox_send(outbox, &n, sizeof(n), &fd, 1)))
		n++;
	ck_assert_int_eq(rc, -ENOBUFS);
	return n;
}

START_TEST(come_in_order_with_their_descriptors)
{
	unsigned sent = fill(), came, expected = 0;
	int got[FDPASS_MAX];
	size_t count;

	ck_assert_uint_gt(sent, MAX);
	while (expected < sent) {
		int rc = fdpass_receive(pair[1], &came, sizeof(came), got, &count);

		if (rc == -EAGAIN) {
			event_base_loop(base, EVLOOP_ONCE);
			continue;
		}
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_eq(came, expected++);
		ck_assert_uint_eq(count, 1);
		close(got[0]);
	}
	/* And it waits for nothing any more. */
	ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	ck_assert_int_eq(outbox_send(outbox, &sent, sizeof(sent), NULL, 0), 0);
	ck_assert_int_eq(fdpass_receive(pair[1], &came, sizeof(came), got, &count), 0);
}
END_TEST

START_TEST(are_dropped_with_the_peer)
{
	unsigned last = 0;

	fill();
	close(pair[1]);
	pair[1] = -1;
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	ck_assert_int_eq(outbox_send(outbox, &last, sizeof(last), NULL, 0), -EPIPE);
}
END_TEST

START_TEST(are_dropped_with_the_outbox)
{
	fill();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lib_outbox");
	TCase *tcase = tcase_create("outbox");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, come_in_order_with_their_descriptors);
	tcase_add_test(tcase, are_dropped_with_the_peer);
	tcase_add_test(tcase, are_dropped_with_the_outbox);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
