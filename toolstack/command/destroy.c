#include "toolstack/command/command.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/name.h"

int command_destroy(const struct command *self, int argc, char **argv)
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	uint16_t domid;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(self, "give one DOMAIN");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = name_find(&ts, argv[optind], &domid, &fault);
		if (!rc)
			rc = domain_destroy(&ts, domid, &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}
