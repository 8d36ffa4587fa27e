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
#include "toolstack/late.h"
#include "toolstack/xsplitd/autostart.h"
#include "toolstack/xsplitd/daemon.h"
#include "toolstack/xsplitd/pending.h"
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
	fputs("usage: xsplitd [--ready-fd FD] [--pid-file FILE] [--auto-dir DIR]\n"
	      "       xsplitd --domain ID | --restart UUID | --creating UUID | --autostart DIR\n"
	      "       xsplitd --help | --version\n",
	      out);
}

struct wish {
	int (*once)(struct toolstack *ts, const char *id); /* NULL: be the daemon */
	const char *id;
	const char *pid_file, *auto_dir;
	int ready_fd;
};

static bool uuid_given(const char *text)
{
	uuid_t uuid;

	return !uuid_parse(text, uuid);
}

/* Return: -1 to go on, or an exit status. */
static int option_take(int c, struct wish *wish)
{
	uint64_t number;
	uint16_t domid;

	if (c == 'r' && !number_parse(optarg, INT_MAX - 1, &number)) {
		wish->ready_fd = (int)number;
	} else if (c == 'd' && !number_parse_u16(optarg, &domid) && domid) {
		wish->once = domain_reap;
		wish->id = optarg;
	} else if ((c == 'R' || c == 'C') && uuid_given(optarg)) {
		wish->once = c == 'R' ? pending_restart : pending_creation;
		wish->id = optarg;
	} else if (c == 'A') {
		wish->once = autostart_run;
		wish->id = optarg;
	} else if (c == 'a') {
		wish->auto_dir = optarg;
	} else if (c == 'p') {
		wish->pid_file = optarg;
	} else if (c == 'V') {
		puts("xsplitd " XSPLIT_VERSION);
		return EXIT_SUCCESS;
	} else {
		usage(c == 'h' ? stdout : stderr);
		return c == 'h' ? EXIT_SUCCESS : 2;
	}
	return -1;
}

static int options_take(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {{"ready-fd", required_argument, NULL, 'r'},
						{"pid-file", required_argument, NULL, 'p'},
						{"domain", required_argument, NULL, 'd'},
						{"restart", required_argument, NULL, 'R'},
						{"creating", required_argument, NULL, 'C'},
						{"autostart", required_argument, NULL, 'A'},
						{"auto-dir", required_argument, NULL, 'a'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{0}};
	int c, status = -1;

	while (status < 0 && (c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		status = option_take(c, wish);
	if (status < 0 && optind < argc) {
		usage(stderr);
		status = 2;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct wish wish = {.auto_dir = AUTOSTART_DIR, .ready_fd = -1};
	int rc, status;

	log_open("xsplitd", LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	late_load_all();
	status = options_take(argc, argv, &wish);
	if (status >= 0)
		return status;
	if (wish.once)
		return once(wish.once, wish.id) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (wish.pid_file && pid_write(wish.pid_file))
		return EXIT_FAILURE;
	rc = daemon_serve(wish.ready_fd, wish.auto_dir);
	if (wish.pid_file)
		unlink(wish.pid_file);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
