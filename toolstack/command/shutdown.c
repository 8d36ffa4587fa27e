#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/number.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/ending.h"
#include "toolstack/domain/name.h"
#include "toolstack/json.h"
#include "toolstack/xen/tune.h"

/* As libxl waits for a guest to take a request. */
#define WAIT_SECONDS 60

/* What the guests are asked for, and how that is told. */
struct request {
	const char *word, *text;
	unsigned seconds; /* to wait for it, or 0 */
	bool fallback;    /* press the machine's button where nobody reads the request */
	bool json;
	bool all; /* that there are */
	enum xen_trigger button;
};

static int ask(struct toolstack *ts, uint16_t domid, const struct request *request,
	       struct fault *fault)
{
	int rc = 0;

	if (request->fallback && ending_deaf(ts, domid))
		rc = xen_trigger(ts->xen, domid, request->button, 0, fault);
	else
		rc = ending_ask(ts, domid, request->word, fault);
	if (!rc && !request->json) {
		printf("%s domain %u\n", request->text, domid);
		fflush(stdout);
	}
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

/* The first fault counts. */
static int first(int rc, int now, const struct fault *late, struct fault *fault)
{
	if (!rc && now)
		*fault = *late;
	return rc ? rc : now;
}

/* One that cannot be asked keeps none of the others from it. */
static int end(struct toolstack *ts, uint16_t *domids, size_t *count, const struct request *request,
	       struct fault *fault)
{
	size_t asked = 0;
	int rc = 0;

	for (size_t i = 0; i < *count; i++) {
		struct fault late = {0};
		int now = ask(ts, domids[i], request, &late);

		/* Of all there are, one that has ended by itself meanwhile is as wanted. */
		if (request->all && (now == -EALREADY || now == -ENOENT))
			continue;
		rc = first(rc, now, &late, fault);
		if (!now)
			domids[asked++] = domids[i];
	}
	*count = asked;
	for (size_t i = 0; i < asked && request->seconds; i++) {
		struct fault late = {0};

		rc = first(rc,
			   ending_wait(ts, domids[i], request->seconds,
				       request->json ? NULL : stdout, &late),
			   &late, fault);
	}
	return rc;
}

static void asked_show(const uint16_t *domids, size_t count, const struct request *request)
{
	yajl_gen out = request->json ? json_open() : NULL;

	if (!out)
		return;
	yajl_gen_array_open(out);
	for (size_t i = 0; i < count; i++) {
		yajl_gen_map_open(out);
		json_number(out, "domid", domids[i]);
		json_string(out, "asked", request->word);
		yajl_gen_map_close(out);
	}
	yajl_gen_array_close(out);
	json_close(out);
}

/* The domains of the command line, or all. */
static int run(const struct command *self, int argc, char **argv, const struct given *given,
	       struct request *request)
{
	uint16_t *domids = NULL;
	struct toolstack ts;
	struct fault fault = {0};
	size_t count;
	int rc;

	request->all = given_has(given, 'a');
	if (request->all != (optind == argc))
		return command_usage(self, "give either DOMAIN or -a");
	request->json = given_has(given, 'j');
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = request->all ? all_find(&ts, &domids, &count, &fault)
				  : named_find(&ts, argc - optind, argv + optind, &domids, &count,
					       &fault);
		if (!rc)
			rc = end(&ts, domids, &count, request, &fault);
		if (!rc)
			asked_show(domids, count, request);
		free(domids);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, request->json) : EXIT_DONE;
}

int command_shutdown(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"wait", no_argument, NULL, 'w'},
						{"timeout", required_argument, NULL, 't'},
						{"fallback", no_argument, NULL, 'F'},
						{0}};
	struct request request = {
		.word = "poweroff", .text = "Shutting down", .button = XEN_TRIGGER_POWER};
	uint64_t seconds = WAIT_SECONDS;
	struct given given;
	int status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (given_value(&given, 't') &&
	    (number_parse(given_value(&given, 't'), 86400, &seconds) || !seconds))
		return command_usage(self, "-t %s is not a number of seconds from 1 to 86400",
				     given_value(&given, 't'));
	if (given_has(&given, 'w'))
		request.seconds = (unsigned)seconds;
	request.fallback = given_has(&given, 'F');
	return run(self, argc, argv, &given, &request);
}

int command_reboot(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"wait", no_argument, NULL, 'w'},
						{"fallback", no_argument, NULL, 'F'},
						{0}};
	struct request request = {
		.word = "reboot", .text = "Rebooting", .button = XEN_TRIGGER_RESET};
	struct given given;
	int status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (given_has(&given, 'w'))
		request.seconds = WAIT_SECONDS;
	request.fallback = given_has(&given, 'F');
	return run(self, argc, argv, &given, &request);
}
