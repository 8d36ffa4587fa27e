#include "toolstack/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/json.h"

static void show(yajl_gen json, const struct finding *f, bool repaired, const char *why)
{
	if (json) {
		yajl_gen_map_open(json);
		json_string(json, "finding", f->words);
		json_key(json, "domid");
		if (f->domid < 0)
			yajl_gen_null(json);
		else
			yajl_gen_integer(json, f->domid);
		json_bool(json, "repaired", repaired);
		json_string(json, "error", *why ? why : NULL);
		yajl_gen_map_close(json);
	} else if (*why) {
		printf("%s: NOT repaired: %s\n", f->words, why);
	} else {
		printf("%s%s\n", f->words, repaired ? ": repaired" : "");
	}
}

/* Disks let go of their loop devices, then go; in the order in which they were found, from behind.
 */
static int all_show(struct domain_call *call, const struct findings *found, yajl_gen json)
{
	bool repair = given_has(call->given, 'r');
	int left = 0;

	for (size_t i = found->count; i-- > 0;) {
		struct fault why = {0};
		bool repaired = repair && !doctor_repair(call->ts, &found->finding[i], &why);

		show(json, &found->finding[i], repaired, why.text);
		left += !repaired;
	}
	return left;
}

static int examine(struct domain_call *call)
{
	struct findings found;
	yajl_gen json;
	int left, rc = doctor_examine(call->ts, &found, call->fault);

	if (rc)
		return rc;
	json = given_has(call->given, 'j') ? json_open() : NULL;
	if (json)
		yajl_gen_array_open(json);
	left = all_show(call, &found, json);
	if (json) {
		yajl_gen_array_close(json);
		json_close(json);
	} else if (!found.count) {
		puts("nothing is left of any domain that is gone");
	}
	free(found.finding);
	call->shown = true;
	if (!left)
		return 0;
	call->told = json != NULL;
	return fault_set(call->fault, -EEXIST, "%d thing%s not as %s should be%s", left,
			 left > 1 ? "s are" : " is", left > 1 ? "they" : "it",
			 given_has(call->given, 'r')
				 ? ""
				 : "; xsplit doctor --repair removes what is left over");
}

int command_doctor(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"repair", no_argument, NULL, 'r'}, {0}};

	return command_here(self, argc, argv, options, 0, 0, examine);
}
