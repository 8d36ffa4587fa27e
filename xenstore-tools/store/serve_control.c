/* CONTROL: what xenstore-control(8) can ask for. Replies are text. */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/number.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/request.h"

/** A reply that grows line by line; what doesn't fit into a payload is cut. */
struct text {
	size_t size;
	char bytes[XENSTORE_PAYLOAD_MAX];
};

static void __attribute__((format(printf, 2, 3)))
text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->bytes + text->size, sizeof(text->bytes) - text->size, format, args);
	va_end(args);
	if (n > 0 && text->size + n < sizeof(text->bytes))
		text->size += n;
	else
		text->bytes[text->size] = '\0';
}

static int text_reply(struct call *call, const struct text *text)
{
	return call_reply(call, text->bytes, text->size + 1);
}

static int control_check(struct call *call, const char *argument[], size_t count)
{
	struct text text = {0};
	int wrong = domains_check(call->store);

	if (wrong < 0)
		return wrong;
	if (wrong)
		log_error("check: the accounts of %d domains were wrong and are corrected; "
			  "please report it",
			  wrong);
	text_add(&text, "%d accounts were wrong\n", wrong);
	return wrong ? text_reply(call, &text) : call_ok(call);
}

static int control_log(struct call *call, const char *argument[], size_t count)
{
	/* XSPLIT_LOG chooses at the start; this only takes what C's clients send. */
	if (count == 1 && strcmp(argument[0], "on") != 0 && strcmp(argument[0], "off") != 0)
		return -EINVAL;
	return call_ok(call);
}

static int control_print(struct call *call, const char *argument[], size_t count)
{
	if (count != 1)
		return -EINVAL;
	log_info("%s", argument[0]);
	return call_ok(call);
}

static int control_memreport(struct call *call, const char *argument[], size_t count)
{
	struct mallinfo2 info = mallinfo2();
	struct text text = {0};

	text_add(&text, "in use: %zu bytes\nmapped: %zu bytes\nfree: %zu bytes\n", info.uordblks,
		 info.arena + info.hblkhd, info.fordblks);
	return text_reply(call, &text);
}

static int quota_show(struct call *call)
{
	struct text text = {0};
	const char *name;
	uint32_t value;

	for (size_t i = 0; (name = quota_name(&call->store->quota, i, &value)); i++)
		text_add(&text, "%-17s: %8" PRIu32 "\n", name, value);
	return text_reply(call, &text);
}

static int quota_of(struct call *call, const char *which)
{
	struct text text = {0};
	const struct connection *connection;
	const struct domain *domain;
	uint16_t domid;

	if (number_parse_u16(which, &domid))
		return -EINVAL;
	domain = domain_find(call->store, domid);
	if (!domain)
		return -ENOENT;
	connection = domain->connection;
	text_add(&text, "Domain %u:\n", domid);
	text_add(&text, "%-16s: %8" PRIi64 "\n", "nodes", domain->nodes);
	text_add(&text, "%-16s: %8" PRIu32 "\n", "watches",
		 connection ? connection->watch_count : 0);
	text_add(&text, "%-16s: %8" PRIu32 "\n", "transactions",
		 connection ? connection->transaction_count : 0);
	text_add(&text, "%-16s: %8" PRIu32 "\n", "outstanding",
		 connection ? connection->outstanding : 0);
	text_add(&text, "%-16s: %8" PRIi64 "\n", "memory",
		 domain->bytes + (connection ? connection_used(connection) : 0));
	return text_reply(call, &text);
}

static int control_quota(struct call *call, const char *argument[], size_t count)
{
	int rc;

	if (!count)
		return quota_show(call);
	if (count == 1)
		return quota_of(call, argument[0]);
	if (count != 3 || strcmp(argument[0], "set") != 0)
		return -EINVAL;
	rc = quota_set(&call->store->quota, argument[1], argument[2]);
	return rc ? -EINVAL : call_ok(call);
}

static int control_stats(struct call *call, const char *argument[], size_t count)
{
	static const char *const names[XS_TYPE_COUNT] = {"control",
							 "directory",
							 "read",
							 "get-perms",
							 "watch",
							 "unwatch",
							 "tx-start",
							 "tx-end",
							 "introduce",
							 "release",
							 "domain-path",
							 "write",
							 "mkdir",
							 "rm",
							 "set-perms",
							 NULL,
							 NULL,
							 "is-introduced",
							 "resume",
							 "set-target",
							 NULL,
							 "reset-watches",
							 "directory-part"};
	const struct store *store = call->store;
	struct text text = {0};

	for (size_t i = 0; i < XS_TYPE_COUNT; i++)
		if (names[i])
			text_add(&text, "%-16s: %12" PRIu64 "\n", names[i], store->requests[i]);
	text_add(&text, "%-16s: %12" PRIu64 "\n", "errors", store->errors);
	text_add(&text, "%-16s: %12" PRIu64 "\n", "events", store->events);
	text_add(&text, "%-16s: %12" PRIu64 "\n", "conflicts", store->conflicts);
	text_add(&text, "%-16s: %12zu\n", "watches-now", store->watches.count);
	text_add(&text, "%-16s: %12zu\n", "domains-now", store->domains.count);
	return text_reply(call, &text);
}

static int control_help(struct call *call, const char *argument[], size_t count);

static const struct {
	const char *name, *arguments;
	int (*serve)(struct call *call, const char *argument[], size_t count);
	size_t max; /* arguments */
} commands[] = {
	{"check", "", control_check, 0},
	{"help", "", control_help, 0},
	{"log", "[on|off]", control_log, 1},
	{"memreport", "", control_memreport, 1},
	{"print", "<string>", control_print, 1},
	{"quota", "[<domid>|set <name> <value>]", control_quota, 3},
	{"stats", "", control_stats, 0},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int control_help(struct call *call, const char *argument[], size_t count)
{
	struct text text = {0};

	for (size_t i = 0; i < COMMANDS; i++)
		text_add(&text, "%-15s %s\n", commands[i].name, commands[i].arguments);
	return text_reply(call, &text);
}

int serve_control(struct call *call)
{
	const char *argument[6];
	size_t count = wire_strings(call->request, argument, 6);

	if (!count)
		return -EINVAL;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argument[0], commands[i].name) != 0)
			continue;
		if (count - 1 > commands[i].max)
			return -EINVAL;
		return commands[i].serve(call, argument + 1, count - 1);
	}
	return -EINVAL;
}
