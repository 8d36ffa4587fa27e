/*
 * progress.c - long work that tells how far it is, as save, restore, migrate and dump-core do:
 * their libraries need Xen, so it does nothing meanwhile.
 *
 * progress [quiet|always|fail]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "toolstack/domain/helper.h"

static int work(struct toolstack *ts, struct helper *helper, void *arg, struct fault *fault)
{
	const char *how = arg;

	(void)ts;
	helper_progress("looking", 0, 0, helper);
	for (unsigned long done = 0; done <= 4; done++) {
		usleep(250 * 1000);
		if (done == 3 && !strcmp(how, "fail"))
			return fault_set(fault, -EIO, "it broke");
		helper_progress("copying", done, 4, helper);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct helper helper = {.what = "Working"};
	char *how = argc > 1 ? argv[1] : (char *)"";
	struct toolstack ts;
	struct fault fault = {0};
	int rc = toolstack_open(&ts, &fault);

	if (!rc) {
		ts.progress = !strcmp(how, "quiet")    ? PROGRESS_NEVER
			      : !strcmp(how, "always") ? PROGRESS_ALWAYS
						       : PROGRESS_ON_TERMINAL;
		rc = helper_run(&ts, &helper, work, how, &fault);
		toolstack_close(&ts);
	}
	if (rc)
		fprintf(stderr, "progress: %s\n", fault.text);
	return rc ? 1 : 0;
}
