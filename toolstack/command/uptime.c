#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/xs.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"
#include "toolstack/json.h"

/* Xen does not know it: dom0's kernel does, and the toolstack wrote down when it made a guest. */
static int seconds_of(struct toolstack *ts, uint16_t domid, unsigned long *seconds)
{
	char *vm, *start;
	FILE *file;
	int rc = -ENOENT;

	if (domid == BACKEND_DOMID) {
		file = fopen("/proc/uptime", "re");
		if (file && fscanf(file, "%lu", seconds) == 1)
			rc = 0;
		if (file)
			fclose(file);
		return rc;
	}
	vm = xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/vm", domid);
	start = vm ? xs_read_string(ts->xs, XBT_NULL, "%s/start_time", vm) : NULL;
	if (start) {
		time_t now = time(NULL), since = (time_t)strtoll(start, NULL, 10);

		*seconds = now > since ? (unsigned long)(now - since) : 0;
		rc = 0;
	}
	free(vm);
	free(start);
	return rc;
}

/* uptime_to_string() of xl_info.c */
static void words_of(unsigned long seconds, bool brief, char text[64])
{
	unsigned long days = seconds / 86400, hours = seconds / 3600 % 24;
	unsigned long minutes = seconds / 60 % 60;
	char before[32] = "";

	if (days)
		snprintf(before, sizeof(before), "%lu day%s, ", days, days > 1 ? "s" : "");
	if (brief)
		snprintf(text, 64, "%s%2lu:%02lu", before, hours, minutes);
	else
		snprintf(text, 64, "%s%2lu:%02lu:%02lu", before, hours, minutes, seconds % 60);
}

static void show(struct domain_call *call, uint16_t domid, yajl_gen json)
{
	bool brief = given_has(call->given, 's');
	unsigned long seconds;
	char text[64], clock[16], *name;
	time_t now = time(NULL);
	struct tm local;

	if (seconds_of(call->ts, domid, &seconds))
		return;
	name = name_of(call->ts, domid);
	words_of(seconds, brief, text);
	if (json) {
		yajl_gen_map_open(json);
		json_string(json, "name", name);
		json_number(json, "domid", domid);
		json_number(json, "uptime", (long long)seconds);
		yajl_gen_map_close(json);
	} else if (brief) {
		strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &local));
		printf(" %s up %s, %s (%d)\n", clock, text, name ? name : "(null)", domid);
	} else {
		printf("%-33s %4d %s\n", name ? name : "(null)", domid, text);
	}
	free(name);
}

static void head_show(const struct domain_call *call, yajl_gen json)
{
	if (!json && !given_has(call->given, 's'))
		printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
}

static int all_show(struct domain_call *call, yajl_gen json)
{
	struct xen_domain *list;
	size_t count;
	int rc = xen_domain_list(call->ts->xen, &list, &count, call->fault);

	if (rc)
		return rc;
	head_show(call, json);
	for (size_t i = 0; i < count; i++)
		show(call, list[i].domid, json);
	free(list);
	return 0;
}

static int uptime(struct domain_call *call)
{
	yajl_gen json = given_has(call->given, 'j') ? json_open() : NULL;
	uint16_t domid;
	int rc = 0;

	if (json)
		yajl_gen_array_open(json);
	for (int i = 0; i < call->count && !rc; i++) {
		rc = name_find(call->ts, call->words[i], &domid, call->fault);
		if (!rc && !i)
			head_show(call, json);
		if (!rc)
			show(call, domid, json);
	}
	if (!call->count)
		rc = all_show(call, json);
	if (json && rc) {
		yajl_gen_free(json);
	} else if (json) {
		yajl_gen_array_close(json);
		json_close(json);
	}
	call->shown = true;
	return rc;
}

int command_uptime(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"short", no_argument, NULL, 's'}, {0}};

	return command_here(self, argc, argv, options, 0, 1024, uptime);
}
