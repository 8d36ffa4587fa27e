/* xsplit-embedded-host: the host daemon of the embedded platform. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "embedded/host/domain.h"
#include "embedded/host/host.h"
#include "embedded/host/session.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/ready.h"

/** dom0's memory: what its processes may grant; nothing of it is used before it is. */
#define DOM0_FRAMES (1u << 20)

static const char usage[] = "usage: xsplit-embedded-host --dir DIR [--ready-fd FD]\n";

struct options {
	const char *dir;
	int ready_fd;
};

static int options_parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"dir", required_argument, NULL, 'd'},
		{"ready-fd", required_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	uint64_t number;
	int c;

	*options = (struct options){.ready_fd = -1};
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'd')
			options->dir = optarg;
		else if (c == 'r' && !number_parse(optarg, INT32_MAX, &number))
			options->ready_fd = (int)number;
		else
			return -EINVAL;
	}
	return options->dir && optind == argc ? 0 : -EINVAL;
}

/* Every process of the host costs a few descriptors, every domain four. */
static void descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void on_term(evutil_socket_t signal, short what, void *arg)
{
	struct host *host = arg;

	event_base_loopbreak(host->base);
}

static int host_run(struct host *host, int ready_fd)
{
	struct domain *dom0;
	struct event *term = NULL, *interrupt = NULL;
	int rc;

	rc = domain_create(host, 0, DOM0_FRAMES, &dom0);
	if (rc) {
		log_error("%s: cannot make domain 0: %s", host->dir, strerror(-rc));
		return rc;
	}
	rc = -ENOMEM;
	term = evsignal_new(host->base, SIGTERM, on_term, host);
	interrupt = evsignal_new(host->base, SIGINT, on_term, host);
	if (!term || !interrupt || event_add(term, NULL) || event_add(interrupt, NULL))
		goto out;

	ready_announce(ready_fd);
	rc = event_base_dispatch(host->base) < 0 ? -EIO : 0;
out:
	if (term)
		event_free(term);
	if (interrupt)
		event_free(interrupt);
	while (!LIST_EMPTY(&host->domains))
		domain_destroy(LIST_FIRST(&host->domains));
	return rc;
}

int main(int argc, char **argv)
{
	struct host host = {.domains = LIST_HEAD_INITIALIZER(host.domains)};
	struct options options;
	int rc;

	log_open("xsplit-embedded-host", LOG_LEVEL_WARN);
	if (options_parse(argc, argv, &options)) {
		(void)fputs(usage, stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	descriptors_raise();
	host.dir = options.dir;
	host.reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	host.base = event_base_new();
	if (!host.base) {
		log_error("event loop: %s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	rc = host_run(&host, options.ready_fd);
	event_base_free(host.base);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
