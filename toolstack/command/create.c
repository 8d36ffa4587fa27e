#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "toolstack/command/command.h"
#include "toolstack/command/console.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/domain/config_json.h"
#include "toolstack/domain/domain.h"
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

static void config_show(const struct domain_config *config, bool json)
{
	yajl_gen out = json ? json_open() : NULL;

	if (out) {
		config_json(out, config);
		json_close(out);
	} else {
		plan_print(config);
	}
}

static void created_show(const struct domain_config *config, uint16_t domid, bool json)
{
	yajl_gen out = json ? json_open() : NULL;

	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "name", config->name);
		json_number(out, "domid", domid);
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		printf("Started domain %s (id=%u)\n", config->name, domid);
	}
}

static int create(struct toolstack *ts, struct domain_config *config, const struct given *given,
		  struct fault *fault)
{
	bool console = given_has(given, 'c'), paused = given_has(given, 'p');
	struct create_options options = {.paused = paused || console,
					 .menu = console && isatty(STDIN_FILENO)};
	uint16_t domid;
	int rc = plan_domain(ts, config, fault);

	if (rc)
		return rc;
	if (given_has(given, 'n')) {
		config_show(config, given_has(given, 'j'));
		return 0;
	}
	rc = command_hold(ts, fault);
	if (rc)
		return rc;
	rc = domain_create(ts, config, &options, &domid, fault);
	interrupt_release(&ts->interrupt);
	if (!rc && !given_has(given, 'q'))
		created_show(config, domid, given_has(given, 'j'));
	if (!rc && console)
		rc = console_follow(ts, domid, paused, fault);
	return rc;
}

int command_create(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"console", no_argument, NULL, 'c'},
						{"dryrun", no_argument, NULL, 'n'},
						{"paused", no_argument, NULL, 'p'},
						{"quiet", no_argument, NULL, 'q'},
						{0}};
	struct domain_config config;
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (optind >= argc)
		return command_usage(self, "no FILE");
	if (!given_has(&given, 'q') && !given_has(&given, 'j'))
		printf("Parsing config from %s\n", argv[optind]);
	fflush(stdout);
	rc = domain_config_read(argv[optind], argv + optind + 1, argc - optind - 1, &config,
				&fault);
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
