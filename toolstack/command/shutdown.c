#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/number.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/ending.h"
#include "toolstack/domain/name.h"

/* As libxl waits for a guest to take a request. */
#define WAIT_SECONDS 60

static int ask(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	int rc = ending_ask(ts, domid, "poweroff", fault);

	if (!rc)
		printf("Shutting down domain %u\n", domid);
	fflush(stdout);
	return rc;
}

/* All but dom0; what is shut down already needs no asking. */
static int all_find(struct toolstack *ts, uint16_t **domids, size_t *count, struct fault *fault)
{
	struct xen_domain *domain;
	size_t n;
	int rc = xen_domain_list(ts->xen, &domain, &n, fault);

	*count = 0;
	if (rc)
		return rc;
	*domids = calloc(n + 1, sizeof(**domids));
	for (size_t i = 0; i < n && *domids; i++)
		if (domain[i].domid != BACKEND_DOMID && !domain[i].shutdown && !domain[i].dying)
			(*domids)[(*count)++] = domain[i].domid;
	free(domain);
	return *domids ? 0 : fault_memory(fault);
}

static int named_find(struct toolstack *ts, int words, char **word, uint16_t **domids,
		      size_t *count, struct fault *fault)
{
	int rc = 0;

	*count = 0;
	*domids = calloc((size_t)words + 1, sizeof(**domids));
	if (!*domids)
		return fault_memory(fault);
	for (int i = 0; i < words && !rc; i++) {
		rc = name_find(ts, word[i], &(*domids)[*count], fault);
		if (!rc && (*domids)[*count] == BACKEND_DOMID)
			rc = fault_set(fault, -EPERM,
				       "domain 0 is this host; shut it down with poweroff(8)");
		(*count)++;
	}
	return rc;
}

static int end(struct toolstack *ts, const uint16_t *domids, size_t count, unsigned seconds,
	       struct fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = ask(ts, domids[i], fault);
	for (size_t i = 0; i < count && !rc && seconds; i++)
		rc = ending_wait(ts, domids[i], seconds, fault);
	return rc;
}

int command_shutdown(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"wait", no_argument, NULL, 'w'},
						{"timeout", required_argument, NULL, 't'},
						{0}};
	uint16_t *domids = NULL;
	uint64_t seconds = WAIT_SECONDS;
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	size_t count;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (given_has(&given, 'a') != (optind == argc))
		return command_usage(self, "give either DOMAIN or -a");
	if (given_value(&given, 't') &&
	    (number_parse(given_value(&given, 't'), 86400, &seconds) || !seconds))
		return command_usage(self, "-t %s is not a number of seconds from 1 to 86400",
				     given_value(&given, 't'));
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = given_has(&given, 'a') ? all_find(&ts, &domids, &count, &fault)
					    : named_find(&ts, argc - optind, argv + optind, &domids,
							 &count, &fault);
		if (!rc)
			rc = end(&ts, domids, count, given_has(&given, 'w') ? (unsigned)seconds : 0,
				 &fault);
		free(domids);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}
