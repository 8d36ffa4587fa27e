#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/attach.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/plan.h"

static const char place[] = "vif";

static int attach(const char *word, struct vif_config *vif, struct fault *fault)
{
	struct toolstack ts;
	uint16_t domid;
	int rc = toolstack_open(&ts, fault);

	if (rc)
		return rc;
	rc = name_find(&ts, word, &domid, fault);
	if (!rc)
		rc = plan_vif(&ts, vif, place, fault);
	if (!rc)
		rc = command_hold(&ts, fault);
	if (!rc) {
		rc = attach_vif(&ts, domid, vif, place, fault);
		interrupt_release(&ts.interrupt);
	}
	toolstack_close(&ts);
	return rc;
}

int command_network_attach(const struct command *self, int argc, char **argv)
{
	struct vif_config vif;
	struct fault fault = {0};
	struct given given;
	char *spec;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind < 1)
		return command_usage(self, "give a DOMAIN");
	spec = command_spec(argc - optind - 1, argv + optind + 1);
	rc = spec ? vif_config_parse(spec, place, &vif, &fault) : fault_memory(&fault);
	if (!rc) {
		rc = attach(argv[optind], &vif, &fault);
		vif_config_free(&vif);
	}
	free(spec);
	return command_end(rc, &fault, given_has(&given, 'j'));
}
