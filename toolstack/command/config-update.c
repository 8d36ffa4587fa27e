#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/config_json.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/userdata.h"

struct updating {
	struct domain_call *call;
	struct domain_config *config;
};

/* Its name and its UUID stay those it has: they are changed by other commands, or never. */
static int identity_keep(struct updating *u, xs_transaction_t t)
{
	struct domain_config kept;
	int rc = record_config_read(u->call->ts, t, u->call->domid, &kept, u->call->fault);

	if (rc)
		return rc;
	if (strcmp(kept.name, u->config->name) != 0)
		rc = fault_set(
			u->call->fault, -EINVAL,
			"%s: name \"%s\" is not that of domain %u, \"%s\"; use xsplit rename",
			u->config->source, u->config->name, u->call->domid, kept.name);
	uuid_copy(u->config->uuid, kept.uuid);
	domain_config_free(&kept);
	return rc;
}

static int updating_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct updating *u = arg;
	char *text;
	int rc = identity_keep(u, t);

	if (rc)
		return rc;
	text = domain_config_print(u->config);
	rc = text ? record_config_replace(u->call->ts, t, u->call->domid, text) : -ENOMEM;
	free(text);
	return rc;
}

static int update(struct domain_call *call)
{
	const char *file = given_value(call->given, 'f');
	struct domain_config config;
	struct updating u = {call, &config};
	int rc;

	if (!file && call->count) {
		file = call->words[0];
		call->words++;
		call->count--;
	}
	if (!file)
		return fault_set(call->fault, -EINVAL, "config-update: no FILE; name one");
	rc = domain_config_read(file, call->words, call->count, &config, call->fault);
	if (rc)
		return rc;
	rc = plan_paths(&config, call->fault);
	if (!rc && given_has(call->given, 'd'))
		config_debug(&config);
	if (!rc) {
		rc = xs_transact(call->ts->xs, updating_write, &u);
		if (!rc)
			userdata_follow(call->ts, call->domid);
		else if (!call->fault->text[0])
			fault_set(call->fault, rc, "domain %u: cannot keep its config: %s",
				  call->domid, strerror(-rc));
	}
	domain_config_free(&config);
	return rc;
}

int command_config_update(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"defconfig", required_argument, NULL, 'f'},
						{"debug", no_argument, NULL, 'd'},
						/* It prints nothing anyway. */
						{"quiet", no_argument, NULL, 'q'},
						{0}};

	return command_about(self, argc, argv, options, 0, 256, update);
}
