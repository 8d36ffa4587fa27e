#include <errno.h>

#include "lib/number.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/resize.h"

static int set(struct domain_call *call)
{
	uint32_t vcpus;

	if (number_parse_u32(call->words[0], &vcpus))
		return fault_set(call->fault, -EINVAL, "\"%s\" is no number of vcpus",
				 call->words[0]);
	return resize_vcpus(call->ts, call->domid, vcpus, given_has(call->given, 'i'), call->fault);
}

int command_vcpu_set(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"ignore-host", no_argument, NULL, 'i'}, {0}};

	return command_about(self, argc, argv, options, 1, 1, set);
}
