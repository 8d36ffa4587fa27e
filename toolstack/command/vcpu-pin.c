#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/tuning.h"
#include "toolstack/xen/vcpu.h"

/* "-", or no word at all, leaves it as it is. */
static int map_read(struct domain_call *call, int index, uint8_t **map)
{
	*map = NULL;
	if (index >= call->count || !strcmp(call->words[index], "-"))
		return 0;
	return tuning_map(call->ts, call->words[index], "vcpu-pin", map, call->fault);
}

static int pin_one(struct domain_call *call, unsigned vcpu, const uint8_t *hard,
		   const uint8_t *soft)
{
	return xen_vcpu_pin(call->ts->xen, call->domid, vcpu, hard, soft,
			    given_has(call->given, 'f'), call->fault);
}

static int pin_all(struct domain_call *call, const uint8_t *hard, const uint8_t *soft)
{
	struct xen_vcpu vcpu;
	int rc = 0;

	for (unsigned i = 0; !rc; i++) {
		if (xen_vcpu_get(call->ts->xen, call->domid, i, &vcpu, call->fault))
			return i ? 0 : -ESRCH;
		rc = pin_one(call, i, hard, soft);
	}
	return rc;
}

static int pin(struct domain_call *call)
{
	bool all = !strcmp(call->words[0], "all");
	uint32_t vcpu = 0;
	uint8_t *hard, *soft = NULL;
	int rc;

	if (!all && number_parse_u32(call->words[0], &vcpu))
		return fault_set(
			call->fault, -EINVAL,
			"vcpu-pin: \"%s\" is no number of a vcpu; write for example 0, or all",
			call->words[0]);
	if (all && given_has(call->given, 'f'))
		return fault_set(call->fault, -EINVAL,
				 "vcpu-pin: --force goes with one vcpu, not with all");
	rc = map_read(call, 1, &hard);
	if (rc)
		return rc;
	rc = map_read(call, 2, &soft);
	if (!rc)
		rc = all ? pin_all(call, hard, soft) : pin_one(call, vcpu, hard, soft);
	free(hard);
	free(soft);
	return rc;
}

int command_vcpu_pin(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{"force", no_argument, NULL, 'f'},
		/* Ours has no global masks of xl.conf: xl's option changes nothing. */
		{"ignore-global-affinity-masks", no_argument, NULL, 'i'},
		{0}};

	return command_about(self, argc, argv, options, 2, 3, pin);
}
