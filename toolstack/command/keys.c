/* What is sent to Xen, to a guest's machine and to its kernel: debug-keys, trigger, sysrq. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/command/command.h"
#include "toolstack/xen/host.h"
#include "toolstack/xen/tune.h"

static int debug_keys(struct domain_call *call)
{
	return xen_debug_keys(call->ts->xen, call->words[0], call->fault);
}

int command_debug_keys(const struct command *self, int argc, char **argv)
{
	return command_here(self, argc, argv, NULL, 1, 1, debug_keys);
}

static int trigger(struct domain_call *call)
{
	static const char *const words[] = {
		[XEN_TRIGGER_NMI] = "nmi",     [XEN_TRIGGER_RESET] = "reset",
		[XEN_TRIGGER_INIT] = "init",   [XEN_TRIGGER_POWER] = "power",
		[XEN_TRIGGER_SLEEP] = "sleep", [XEN_TRIGGER_S3RESUME] = "s3resume",
	};
	uint32_t vcpu = 0;

	if (call->count > 1 && number_parse_u32(call->words[1], &vcpu))
		return fault_set(call->fault, -EINVAL, "trigger: \"%s\" is no number of a vcpu",
				 call->words[1]);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(call->words[0], words[i]))
			return xen_trigger(call->ts->xen, call->domid, (enum xen_trigger)i, vcpu,
					   call->fault);
	return fault_set(
		call->fault, -EINVAL,
		"trigger: \"%s\" is unknown; use nmi, reset, init, power, sleep or s3resume",
		call->words[0]);
}

int command_trigger(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 1, 2, trigger);
}

static int sysrq(struct domain_call *call)
{
	const char *letter = call->words[0];
	int rc;

	if (!isprint((unsigned char)*letter) || letter[1])
		return fault_set(call->fault, -EINVAL, "sysrq: \"%s\" is not one letter", letter);
	if (call->domid == BACKEND_DOMID)
		return fault_set(call->fault, -EPERM,
				 "domain 0 is this host; write to /proc/sysrq-trigger instead");
	rc = xs_write_string(call->ts->xs, XBT_NULL, letter, "/local/domain/%u/control/sysrq",
			     call->domid);
	return rc ? fault_set(call->fault, rc, "domain %u: cannot write control/sysrq: %s",
			      call->domid, strerror(-rc))
		  : 0;
}

int command_sysrq(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 1, 1, sysrq);
}
