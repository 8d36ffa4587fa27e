#include "toolstack/xsplitd/policy.h"

#include <xen/sched.h>

static enum domain_action action_of(const struct domain_config *config, unsigned reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		return config->action[END_POWEROFF];
	case SHUTDOWN_reboot:
		return config->action[END_REBOOT];
	case SHUTDOWN_suspend:
		return ACTION_PRESERVE;
	case SHUTDOWN_watchdog:
		return config->action[END_WATCHDOG];
	case SHUTDOWN_soft_reset:
		return config->action[END_SOFT_RESET];
	case SHUTDOWN_crash:
	default:
		return config->action[END_CRASH];
	}
}

unsigned policy_quick(const struct ending *ending)
{
	return ending->lived < POLICY_QUICK_SECONDS ? ending->quick + 1 : 0;
}

/* What it became in a row of restarts. */
static enum verdict again(const struct ending *ending, unsigned *quick, enum verdict verdict)
{
	*quick = policy_quick(ending);
	return *quick > POLICY_QUICK_MAX ? VERDICT_GIVE_UP : verdict;
}

/* Of a PVH guest libxl does not do it, of a PV guest Xen cannot. */
static enum verdict soft_reset_of(const struct domain_config *config)
{
	return config->type == DOMAIN_HVM ? VERDICT_SOFT_RESET : VERDICT_RESTART;
}

enum verdict policy_decide(const struct domain_config *config, const struct ending *ending,
			   unsigned *quick)
{
	if (ending->gone)
		return VERDICT_DESTROY;
	switch (action_of(config, ending->reason)) {
	case ACTION_PRESERVE:
		return VERDICT_PRESERVE;
	case ACTION_RENAME_RESTART:
		return again(ending, quick, VERDICT_RENAME_RESTART);
	case ACTION_RESTART:
	case ACTION_COREDUMP_RESTART:
		return again(ending, quick, VERDICT_RESTART);
	case ACTION_SOFT_RESET:
		return again(ending, quick, soft_reset_of(config));
	case ACTION_DESTROY:
	case ACTION_COREDUMP_DESTROY:
	default:
		return VERDICT_DESTROY;
	}
}

bool policy_dumps(const struct domain_config *config, const struct ending *ending)
{
	enum domain_action action = action_of(config, ending->reason);

	return !ending->gone &&
	       (action == ACTION_COREDUMP_DESTROY || action == ACTION_COREDUMP_RESTART);
}
