/* xsplitd - carries out what the end of a guest asks for. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "lib/log.h"
#include "lib/number.h"
#include "toolstack/xsplitd/daemon.h"
#include "toolstack/xsplitd/reap.h"

static int domain_reap(struct toolstack *ts, const char *id)
{
	uint16_t domid;

	return number_parse_u16(id, &domid) ? -EINVAL : reap_domain(ts, domid);
}

static int once(int (*what)(struct toolstack *ts, const char *id), const char *id)
{
	struct toolstack ts;
	struct fault fault = {0};
	int rc = toolstack_open(&ts, &fault);

	if (rc) {
		log_error("%s", fault.text);
		return rc;
	}
	rc = what(&ts, id);
	toolstack_close(&ts);
	return rc;
}

static int pid_write(const char *path)
{
	FILE *file = fopen(path, "we");
	int rc = 0;

	if (!file || fprintf(file, "%d\n", (int)getpid()) < 0)
		rc = -errno;
	if (file && fclose(file))
		rc = -errno;
	if (rc)
		log_error("%s: cannot write it: %s", path, strerror(-rc));
	return rc;
}

static void usage(FILE *out)
{
	fputs("usage: xsplitd [--ready-fd FD] [--pid-file FILE]\n"
	      "       xsplitd --domain ID | --restart UUID | --creating UUID\n"
	      "       xsplitd --help | --version\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"ready-fd", required_argument, NULL, 'r'},
						{"pid-file", required_argument, NULL, 'p'},
						{"domain", required_argument, NULL, 'd'},
						{"restart", required_argument, NULL, 'R'},
						{"creating", required_argument, NULL, 'C'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{0}};
	int (*what)(struct toolstack * ts, const char *id) = NULL;
	const char *pid_file = NULL, *id = NULL;
	uint64_t ready_fd = INT_MAX;
	uint16_t domid;
	uuid_t uuid;
	int c, rc;

	log_open("xsplitd", LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'r' && !number_parse(optarg, INT_MAX - 1, &ready_fd))
			continue;
		if (c == 'd' && !number_parse_u16(optarg, &domid) && domid) {
			what = domain_reap;
			id = optarg;
			continue;
		}
		if ((c == 'R' || c == 'C') && !uuid_parse(optarg, uuid)) {
			what = c == 'R' ? reap_pending : reap_creating;
			id = optarg;
			continue;
		}
		if (c == 'p') {
			pid_file = optarg;
			continue;
		}
		if (c == 'V') {
			puts("xsplitd " XSPLIT_VERSION);
			return EXIT_SUCCESS;
		}
		usage(c == 'h' ? stdout : stderr);
		return c == 'h' ? EXIT_SUCCESS : 2;
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	if (what)
		return once(what, id) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (pid_file && pid_write(pid_file))
		return EXIT_FAILURE;
	rc = daemon_serve(ready_fd == INT_MAX ? -1 : (int)ready_fd);
	if (pid_file)
		unlink(pid_file);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
