/*
 * The supervisor and a guest's worker, which is this program again: one that reads late, one that
 * is not there, one whose devices are let go of.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/classes.h"
#include "backend/supervisor/registry.h"
#include "lib/fdpass.h"
#include "tests/unit/check.h"

/* What a worker inherits: as long as one lives, this has a writer. */
#define ALIVE_FD 200

/* More than a socket takes of such requests, unread. */
#define BURST 200u

static struct device_class class;
const struct device_class *const device_classes[WORKER_KINDS] = {&class, &class};

static struct event_base *base;
static struct guest_options options;
static unsigned reports, deaths;
static int alive;

/* ---- the worker ---- */

static void worker_late(void)
{
	struct worker_request request;
	int fds[FDPASS_MAX];
	size_t count;

	usleep(300000);
	while (!fdpass_receive(GUEST_WORKER_SOCKET, &request, sizeof(request), fds, &count)) {
		struct worker_report report = {
			.type = WORKER_CHANGED, .change = request.change, .rc = (int32_t)count};

		while (count)
			close(fds[--count]);
		if (fdpass_send(GUEST_WORKER_SOCKET, &report, sizeof(report), NULL, 0))
			break;
	}
	_exit(0); /* no look for leaks, which a sanitizer has a process of its own for */
}

/* ---- the supervisor ---- */

static void on_report(void *arg, struct guest *guest, const struct worker_report *report)
{
	ck_assert_uint_eq(report->change, ++reports);
	ck_assert_int_eq(report->rc, 1);
	if (reports == BURST)
		event_base_loopbreak(base);
}

static void on_died(void *arg, struct guest *guest, const char *how, bool fault)
{
	deaths++;
	event_base_loopbreak(base);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	guest_reap(arg);
}

static void set_up(void)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	options = (struct guest_options){.base = base,
					 .handlers = {.report = on_report, .died = on_died}};
	ck_assert(!pipe2(ends, O_CLOEXEC));
	alive = ends[0];
	ck_assert_int_eq(dup2(ends[1], ALIVE_FD), ALIVE_FD);
	close(ends[1]);
}

/* Does no worker live, once we have let go of our copy? */
static bool all_dead(void)
{
	struct pollfd end = {.fd = alive, .events = POLLIN};

	close(ALIVE_FD);
	return poll(&end, 1, 0) == 1 && end.revents & POLLHUP;
}

START_TEST(a_burst_waits_for_a_worker_that_reads_late)
{
	static const struct timeval patience = {.tv_sec = 20};
	struct guest *guest = guest_new(5, &options);
	struct event *child = evsignal_new(base, SIGCHLD, on_child, guest);
	int fd = memfd_create("burst", MFD_CLOEXEC), probe;

	event_add(child, NULL);
	for (unsigned n = 1; n <= BURST; n++) {
		const struct worker_request request = {.type = WORKER_CHANGE, .change = n};

		ck_assert_int_eq(guest_request(guest, &request, &fd, 1), 0);
	}
	close(fd);
	event_base_loopexit(base, &patience);
	event_base_dispatch(base);
	ck_assert_uint_eq(deaths, 0);
	ck_assert_uint_eq(reports, BURST);
	/* What waited has left no descriptor behind. */
	probe = memfd_create("probe", MFD_CLOEXEC);
	ck_assert_int_le(probe, fd);
	close(probe);
	guest_leave(guest, true);
	guest_free(guest);
	event_free(child);
	ck_assert(all_dead());
}
END_TEST

START_TEST(a_change_starts_no_worker)
{
	struct guest *guest = guest_new(5, &options);
	struct device dev = {.class = &class, .guest = guest};
	uint32_t change;

	for (dev.xenbus.link = XENBUS_IDLE; dev.xenbus.link <= XENBUS_BROKEN; dev.xenbus.link++)
		ck_assert_int_eq(device_change(&dev, "", 0, NULL, 0, &change), -ENOTCONN);
	ck_assert(!guest_has_worker(guest));
	guest_free(guest);
	ck_assert(all_dead());
}
END_TEST

static bool closed_after_the_worker;

static void on_close(struct device *dev)
{
	closed_after_the_worker = all_dead();
}

START_TEST(an_image_is_let_go_of_after_its_worker)
{
	const struct worker_request request = {.type = WORKER_CONNECT};
	struct registry registry;
	struct device *dev = calloc(1, sizeof(*dev));

	class = (struct device_class){.close = on_close};
	ck_assert_int_eq(registry_init(&registry, NULL, &options, NULL), 0);
	registry.guests = calloc(1, sizeof(struct guest *));
	registry.guests[registry.guest_count++] = guest_new(5, &options);
	*dev = (struct device){.class = &class, .guest = registry.guests[0], .probed = true};
	journal_init(&dev->journal, "vbd", 5, 51712);
	registry.devices = dev;
	ck_assert_int_eq(guest_request(dev->guest, &request, NULL, 0), 0);
	registry_free(&registry);
	ck_assert(closed_after_the_worker);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("backend_guest");
	TCase *tcase = tcase_create("guest");

	if (argc > 1 && !strcmp(argv[1], "--worker"))
		worker_late();
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, a_burst_waits_for_a_worker_that_reads_late);
	tcase_add_test(tcase, a_change_starts_no_worker);
	tcase_add_test(tcase, an_image_is_let_go_of_after_its_worker);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
