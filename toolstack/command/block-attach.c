#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/attach.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/plan.h"

static const char place[] = "disk";

static int attach(const char *word, struct disk_config *disk, struct fault *fault)
{
	struct toolstack ts;
	uint16_t domid;
	int rc = toolstack_open(&ts, fault);

	if (rc)
		return rc;
	rc = name_find(&ts, word, &domid, fault);
	if (!rc)
		rc = plan_disk(&ts, disk, place, fault);
	if (!rc)
		rc = command_hold(&ts, fault);
	if (!rc) {
		rc = attach_disk(&ts, domid, disk, place, fault);
		interrupt_release(&ts.interrupt);
	}
	toolstack_close(&ts);
	return rc;
}

int command_block_attach(const struct command *self, int argc, char **argv)
{
	struct disk_config disk;
	struct fault fault = {0};
	struct given given;
	char *spec;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind < 2)
		return command_usage(self, "give a DOMAIN and a SPEC");
	spec = command_spec(argc - optind - 1, argv + optind + 1);
	rc = spec ? disk_config_parse(spec, place, &disk, &fault) : fault_memory(&fault);
	if (!rc) {
		rc = attach(argv[optind], &disk, &fault);
		disk_config_free(&disk);
	}
	free(spec);
	return command_end(rc, &fault, given_has(&given, 'j'));
}
