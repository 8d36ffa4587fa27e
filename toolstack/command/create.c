#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "toolstack/command/command.h"
#include "toolstack/command/console.h"
#include "toolstack/command/viewer.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/domain/config_json.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/ending.h"
#include "toolstack/domain/outline.h"
#include "toolstack/domain/plan.h"
#include "toolstack/json.h"

static void devices_print(const struct domain_config *config)
{
	char mac[MAC_TEXT_SIZE];

	for (size_t i = 0; i < config->disks; i++) {
		const struct disk_config *disk = &config->disk[i];

		printf("  disk %-8s %s, %s, read-%s, served by %s\n", disk->vdev, disk->target,
		       disk_format_word(disk->format), disk->writable ? "write" : "only",
		       disk->backend == DISK_QDISK ? "QEMU (qdisk)" : "xsplit-backend (vbd)");
	}
	for (size_t i = 0; i < config->vifs; i++) {
		const struct vif_config *vif = &config->vif[i];

		mac_format(vif->mac, mac);
		printf("  vif %-9d %s on bridge %s, in dom0 ", vif->devid, mac, vif->bridge);
		if (vif->name)
			printf("%s\n", vif->name);
		else
			printf("vifN.%d\n", vif->devid);
	}
}

static void plan_print(const struct domain_config *config)
{
	printf("would create domain %s:\n", config->name);
	if (config->type == DOMAIN_PROCESS) {
		printf("  program       %s%s%s\n", config->kernel, *config->cmdline ? " " : "",
		       config->cmdline);
	} else {
		printf("  type          %s\n", domain_type_word(config->type));
		printf("  kernel        %s\n", config->kernel ? config->kernel : "found at boot");
		printf("  ramdisk       %s\n", config->ramdisk ? config->ramdisk : "none");
		printf("  command line  %s\n", config->cmdline);
	}
	printf("  memory        %" PRIu64 " MiB, at most %" PRIu64 " MiB\n",
	       config->memory_kib >> 10, config->maxmem_kib >> 10);
	printf("  vcpus         %" PRIu32 ", at most %" PRIu32 "\n", config->vcpus,
	       config->maxvcpus);
	for (int end = 0; end < END_COUNT; end++)
		printf("  %-13s %s\n", domain_end_key((enum domain_end)end),
		       domain_action_word(config->action[end]));
	devices_print(config);
}

static void steps_print(const struct outline *outline)
{
	puts("calls:");
	for (size_t i = 0; i < outline->steps; i++)
		printf("  %s%s%s\n", outline->step[i].call, *outline->step[i].what ? "  " : "",
		       outline->step[i].what);
	puts("writes:");
	for (size_t i = 0; i < outline->nodes.count; i++) {
		const struct node *node = &outline->nodes.node[i];
		char *path = outline_text(node->path), *value = outline_text(node->value);

		printf("  %s = \"%s\"", path ? path : node->path, value ? value : node->value);
		if (node->permissions && node->reader == NODES_NO_READER)
			printf("  (n%s)", node->owner ? "N" : "0");
		else if (node->permissions)
			printf("  (n%s,r%s)", node->owner ? "N" : "0", node->reader ? "N" : "0");
		putchar('\n');
		free(path);
		free(value);
	}
}

static void steps_json(yajl_gen out, const struct outline *outline)
{
	json_key(out, "calls");
	yajl_gen_array_open(out);
	for (size_t i = 0; i < outline->steps; i++) {
		yajl_gen_map_open(out);
		json_string(out, "call", outline->step[i].call);
		json_string(out, "what", outline->step[i].what);
		yajl_gen_map_close(out);
	}
	yajl_gen_array_close(out);
	json_key(out, "writes");
	yajl_gen_array_open(out);
	for (size_t i = 0; i < outline->nodes.count; i++) {
		const struct node *node = &outline->nodes.node[i];
		char *path = outline_text(node->path), *value = outline_text(node->value);

		yajl_gen_map_open(out);
		json_string(out, "path", path);
		json_string(out, "value", value);
		yajl_gen_map_close(out);
		free(path);
		free(value);
	}
	yajl_gen_array_close(out);
}

/* Everything that a create would do, and nothing of it. */
static int dry_run(struct toolstack *ts, const struct domain_config *config, bool json,
		   struct fault *fault)
{
	yajl_gen out = json ? json_open() : NULL;
	struct outline outline;
	int rc = outline_make(ts, config, &outline, fault);

	if (rc && out) {
		yajl_gen_free(out);
	} else if (out) {
		yajl_gen_map_open(out);
		json_key(out, "config");
		config_json(out, config);
		steps_json(out, &outline);
		yajl_gen_map_close(out);
		json_close(out);
	} else if (!rc) {
		plan_print(config);
		steps_print(&outline);
	}
	outline_free(&outline);
	return rc;
}

static void timing_json(yajl_gen out, const struct create_timing *timing)
{
	json_key(out, "timing_us");
	yajl_gen_map_open(out);
	for (unsigned i = 0; i < timing->steps; i++)
		json_number(out, timing->step[i].name, (long long)timing->step[i].us);
	yajl_gen_map_close(out);
}

/* @timing: NULL when nobody asked for it */
static void created_show(const struct domain_config *config, uint16_t domid, bool json,
			 const struct create_timing *timing)
{
	yajl_gen out = json ? json_open() : NULL;

	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "name", config->name);
		json_number(out, "domid", domid);
		if (timing)
			timing_json(out, timing);
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		printf("Started domain %s (id=%u)\n", config->name, domid);
	}
}

static void timing_show(const struct create_timing *timing)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < timing->steps; i++) {
		all += timing->step[i].us;
		fprintf(stderr, "%-10s %9.3f ms\n", timing->step[i].name,
			(double)timing->step[i].us / 1000);
	}
	fprintf(stderr, "%-10s %9.3f ms\n", "all", (double)all / 1000);
}

static int create(struct toolstack *ts, struct domain_config *config, const struct given *given,
		  struct fault *fault)
{
	bool console = given_has(given, 'c'), paused = given_has(given, 'p');
	struct create_options options = {.paused = paused || console,
					 .menu = console && isatty(STDIN_FILENO)};
	struct create_timing timing = {0};
	uint16_t domid;
	int rc = plan_domain(ts, config, fault);

	if (rc)
		return rc;
	if (given_has(given, 'd'))
		config_debug(config);
	if (given_has(given, 'n'))
		return dry_run(ts, config, given_has(given, 'j'), fault);
	rc = command_hold(ts, fault);
	if (rc)
		return rc;
	options.timing = &timing;
	rc = domain_create(ts, config, &options, &domid, fault);
	interrupt_release(&ts->interrupt);
	if (given_has(given, 't') && !given_has(given, 'j'))
		timing_show(&timing);
	if (!rc && (!given_has(given, 'q') || given_has(given, 'j')))
		created_show(config, domid, given_has(given, 'j'),
			     given_has(given, 't') ? &timing : NULL);
	if (!rc && (given_has(given, 'V') || given_has(given, 'A')))
		viewer_offer(ts, domid, given_has(given, 'A'));
	if (!rc && console)
		rc = console_follow(ts, domid, paused, fault);
	else if (!rc && given_has(given, 'F'))
		rc = ending_wait(ts, domid, UINT_MAX / 2, given_has(given, 'j') ? NULL : stdout,
				 fault);
	return rc;
}

int command_create(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{"console", no_argument, NULL, 'c'},
		{"dryrun", no_argument, NULL, 'n'},
		{"paused", no_argument, NULL, 'p'},
		{"dry-run", no_argument, NULL, 'n'},
		{"quiet", no_argument, NULL, 'q'},
		{"defconfig", required_argument, NULL, 'f'},
		{"foreground", no_argument, NULL, 'F'},
		/* xl's: its own process is not to wait; xsplitd does. */
		{"no-wait", no_argument, NULL, 'e'},
		{"timing", no_argument, NULL, 't'},
		{"vncviewer", no_argument, NULL, 'V'},
		{"vncviewer-autopass", no_argument, NULL, 'A'},
		{"debug", no_argument, NULL, 'd'},
		{"json-config", no_argument, NULL, 'J'},
		/* xl's: of xl.conf, which has none for us. */
		{"ignore-global-affinity-masks", no_argument, NULL, 'i'},
		{0}};
	const char *file;
	struct domain_config config;
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	file = given_has(&given, 'f') ? given_value(&given, 'f') : argv[optind++];
	if (!file)
		return command_usage(self, "no FILE");
	if (!given_has(&given, 'q') && !given_has(&given, 'j'))
		printf("Parsing config from %s\n", file);
	fflush(stdout);
	rc = given_has(&given, 'J')
		     ? domain_config_read_json(file, argv + optind, argc - optind, &config, &fault)
		     : domain_config_read(file, argv + optind, argc - optind, &config, &fault);
	if (rc)
		return command_failed(&fault, given_has(&given, 'j'));
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = create(&ts, &config, &given, &fault);
		toolstack_close(&ts);
	}
	domain_config_free(&config);
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}
