/*
 * guest.c - xsplit-guest: an ordinary process as the kernel of a domain.
 *
 * xsplit-guest(8). Disks become NBD exports, network cards TAP devices; control/shutdown is obeyed.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "frontend/process/devices.h"
#include "frontend/process/link.h"
#include "lib/xs.h"

/** How long the backends have to close their devices. */
#define LEAVE_SECONDS 8

struct guest {
	struct event_base *base;
	struct host host;
	struct devices devices;
	struct options options;
	struct event *signals[3], *late;
	struct platform_watch *shutdown;
	bool leaving;
};

static void guest_gone(void *arg)
{
	struct guest *guest = arg;

	event_base_loopexit(guest->base, NULL);
}

static void guest_late(evutil_socket_t fd, short what, void *arg)
{
	struct guest *guest = arg;

	log_warn("not all backends closed their devices within %d s; ending without them",
		 LEAVE_SECONDS);
	event_base_loopbreak(guest->base);
}

static void guest_leave(struct guest *guest, const char *why)
{
	const struct timeval patience = {.tv_sec = LEAVE_SECONDS};

	if (guest->leaving)
		return;
	guest->leaving = true;
	log_info("%s: closing all devices", why);
	event_add(guest->late, &patience);
	devices_leave(&guest->devices);
}

static void signal_end(evutil_socket_t fd, short what, void *arg)
{
	guest_leave(arg, "signal");
}

static void signal_child(evutil_socket_t fd, short what, void *arg)
{
	struct guest *guest = arg;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		devices_child(&guest->devices, pid, status);
}

/* xenstore-paths(7): the guest takes the request by emptying the node. */
static void shutdown_changed(void *arg)
{
	struct guest *guest = arg;
	char *request = xs_read_string(guest->host.xs, XBT_NULL, "control/shutdown");

	if (!request || !*request)
		goto out;
	xs_write_string(guest->host.xs, XBT_NULL, "", "control/shutdown");
	if (strcmp(request, "poweroff") != 0 && strcmp(request, "reboot") != 0 &&
	    strcmp(request, "halt") != 0)
		log_warn("control/shutdown: \"%s\" is not supported; poweroff, reboot and halt are",
			 request);
	else
		guest_leave(guest, request);
out:
	free(request);
}

static int signals_take(struct guest *guest)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGCHLD};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		guest->signals[i] = evsignal_new(guest->base, numbers[i],
						 numbers[i] == SIGCHLD ? signal_child : signal_end,
						 guest);
		if (!guest->signals[i] || event_add(guest->signals[i], NULL))
			return -ENOMEM;
	}
	guest->late = evtimer_new(guest->base, guest_late, guest);
	return guest->late ? 0 : -ENOMEM;
}

/* What a toolstack looks at before it asks for a shutdown. */
static void features_tell(struct guest *guest)
{
	static const char *const features[] = {"poweroff", "reboot"};

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		xs_write_string(guest->host.xs, XBT_NULL, "1", "control/feature-%s", features[i]);
}

static int guest_open(struct guest *guest)
{
	int rc;

	evthread_use_pthreads();
	guest->base = event_base_new();
	if (!guest->base)
		return -ENOMEM;
	rc = signals_take(guest);
	if (rc)
		return rc;
	rc = host_open(&guest->host, guest->base);
	if (rc) {
		memset(&guest->host, 0, sizeof(guest->host));
		return rc;
	}
	features_tell(guest);
	rc = devices_open(&guest->devices, &guest->host, &guest->options, guest_gone, guest);
	if (rc)
		return rc;
	return guest->host.platform.ops->store_watch(&guest->host.platform, "control/shutdown",
						     shutdown_changed, guest, &guest->shutdown);
}

static void guest_close(struct guest *guest)
{
	if (guest->host.platform.ops) {
		devices_close(&guest->devices);
		if (guest->shutdown)
			guest->host.platform.ops->store_unwatch(&guest->host.platform,
								guest->shutdown);
		host_close(&guest->host);
	}
	for (size_t i = 0; i < sizeof(guest->signals) / sizeof(guest->signals[0]); i++)
		if (guest->signals[i])
			event_free(guest->signals[i]);
	if (guest->late)
		event_free(guest->late);
	if (guest->base)
		event_base_free(guest->base);
}

static int usage(FILE *to)
{
	fprintf(to, "usage: xsplit-guest [ip=ADDRESS/PREFIX] [ipN=ADDRESS/PREFIX] [gw=ADDRESS]\n"
		    "\n"
		    "The kernel of a domain that is a process: its disks become NBD exports, its\n"
		    "network cards TAP devices ethN. ip= is for eth0, ipN= for ethN. See\n"
		    "xsplit-guest(8).\n");
	return to == stderr ? 2 : 0;
}

static int options_read(int argc, char **argv, struct options *options)
{
	const char *bad;

	switch (options_parse(argc, argv, options, &bad)) {
	case 0:
		return 0;
	case -EEXIST:
		log_error("%s: given a second time; leave one", bad);
		break;
	case -EADDRNOTAVAIL:
		log_error("%s: not an address; write it like ip=192.0.2.2/24", bad);
		break;
	default:
		log_error("%s: unknown; ip=, ip0= to ip%d= and gw= are known", bad,
			  OPTIONS_CARDS - 1);
		break;
	}
	return usage(stderr);
}

int main(int argc, char **argv)
{
	struct guest guest = {0};
	int rc;

	log_open("xsplit-guest", LOG_LEVEL_INFO);
	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")))
		return usage(stdout);
	rc = options_read(argc, argv, &guest.options);
	if (rc)
		return rc;
	rc = guest_open(&guest);
	if (!rc) {
		link_up("lo", NULL, 0);
		event_base_dispatch(guest.base);
		rc = guest.leaving ? 0 : -EIO;
	} else {
		log_error("cannot start: %s", strerror(-rc));
	}
	guest_close(&guest);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
