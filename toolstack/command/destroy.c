#include <errno.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/restart.h"

/* One that waits for its restart is no domain, but its user wants to be rid of it all the same. */
static int destroy(struct domain_call *call)
{
	const char *word = call->words[0];
	int rc = name_find(call->ts, word, &call->domid, call->fault);

	if (rc == -ENOENT && !restart_forget_name(call->ts, word))
		return 0;
	return rc ? rc : domain_destroy_for_good(call->ts, call->domid, call->fault);
}

int command_destroy(const struct command *self, int argc, char **argv)
{
	/* xl's, for domain 0: ours is not destroyed in any case. */
	static const struct option options[] = {{"force", no_argument, NULL, 'f'}, {0}};

	return command_here(self, argc, argv, options, 1, 1, destroy);
}
