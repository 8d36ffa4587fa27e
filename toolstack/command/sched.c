/* sched-credit and sched-credit2: the same, but for what a pool's scheduler can be told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/tuning.h"
#include "toolstack/json.h"
#include "toolstack/xen/vcpu.h"

struct sched {
	struct domain_call *call;
	enum xen_scheduler scheduler;
	const char *word; /* "credit", "credit2" */
	yajl_gen json;
};

/* The pool of -p, or with NULL any that has this scheduler: the first at or behind *next. */
static int pool_next(const struct sched *s, const struct xen_pool *pools, size_t count,
		     size_t *next, struct xen_pool *found)
{
	const char *wanted = given_value(s->call->given, 'p');

	for (; *next < count; (*next)++) {
		char *name = tuning_pool_name(s->call->ts, pools[*next].id), id[16];
		bool same;

		snprintf(id, sizeof(id), "%u", pools[*next].id);
		same = !wanted || !strcmp(wanted, id) || (name && !strcmp(wanted, name));
		free(name);
		if (same && pools[*next].scheduler == s->scheduler) {
			*found = pools[(*next)++];
			return 0;
		}
	}
	return -ENOENT;
}

static void domain_row(const struct sched *s, uint16_t domid, const struct xen_share *share)
{
	char *name = name_of(s->call->ts, domid);

	if (s->json) {
		yajl_gen_map_open(s->json);
		json_string(s->json, "name", name);
		json_number(s->json, "domid", domid);
		json_number(s->json, "weight", share->weight);
		json_number(s->json, "cap", share->cap);
		yajl_gen_map_close(s->json);
	} else {
		printf("%-33s %4d %6d %4d\n", name ? name : "(null)", domid, (int)share->weight,
		       (int)share->cap);
	}
	free(name);
}

static void header(const struct sched *s)
{
	if (!s->json)
		printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
}

static int domain_show(const struct sched *s, uint16_t domid)
{
	struct xen_share share;
	int rc = xen_share_get(s->call->ts->xen, domid, s->scheduler, &share, s->call->fault);

	if (!rc)
		domain_row(s, domid, &share);
	return rc;
}

static int params_show(const struct sched *s, uint32_t pool)
{
	struct xen_sched_params params;
	char *name = tuning_pool_name(s->call->ts, pool);
	int rc =
		xen_sched_params_get(s->call->ts->xen, pool, s->scheduler, &params, s->call->fault);

	if (rc) {
		free(name);
		return rc;
	}
	if (s->json) {
		json_string(s->json, "pool", name);
		json_number(s->json, "ratelimit_us", params.ratelimit_us);
		if (s->scheduler == XEN_SCHED_CREDIT) {
			json_number(s->json, "tslice_ms", params.tslice_ms);
			json_number(s->json, "migration_delay_us", params.migration_us);
		}
	} else if (s->scheduler == XEN_SCHED_CREDIT) {
		printf("Cpupool %s: tslice=%ums ratelimit=%uus migration-delay=%uus\n", name,
		       params.tslice_ms, params.ratelimit_us, params.migration_us);
	} else {
		printf("Cpupool %s: ratelimit=%uus\n", name, params.ratelimit_us);
	}
	free(name);
	return 0;
}

static int pool_show(const struct sched *s, const struct xen_pool *pool)
{
	struct xen_domain *list;
	size_t count;
	int rc = xen_domain_list(s->call->ts->xen, &list, &count, s->call->fault);

	if (rc)
		return rc;
	if (s->json)
		yajl_gen_map_open(s->json);
	rc = params_show(s, pool->id);
	header(s);
	if (s->json) {
		json_key(s->json, "domains");
		yajl_gen_array_open(s->json);
	}
	for (size_t i = 0; i < count && !rc; i++)
		if (list[i].pool == pool->id)
			rc = domain_show(s, list[i].domid);
	if (s->json) {
		yajl_gen_array_close(s->json);
		yajl_gen_map_close(s->json);
	}
	free(list);
	return rc;
}

static int no_pool(const struct sched *s)
{
	const char *wanted = given_value(s->call->given, 'p');

	if (wanted)
		return fault_set(
			s->call->fault, -ENOENT,
			"no CPU pool \"%s\" has the scheduler %s; xl cpupool-list shows them",
			wanted, s->word);
	return fault_set(s->call->fault, -ENOTSUP,
			 "no CPU pool of this host has the scheduler %s; xsplit info xen_scheduler "
			 "tells which one it has",
			 s->word);
}

static int all_show(const struct sched *s, const struct xen_pool *pools, size_t count)
{
	struct xen_pool pool;
	size_t next = 0;
	int shown = 0, rc = 0;

	while (!rc && !pool_next(s, pools, count, &next, &pool)) {
		rc = pool_show(s, &pool);
		shown++;
	}
	return rc || shown ? rc : no_pool(s);
}

static int number_of(const struct sched *s, char letter, unsigned least, unsigned most,
		     unsigned *value)
{
	const char *text = given_value(s->call->given, letter);
	uint64_t number;

	if (!text)
		return 0;
	if (number_parse(text, most, &number) || number < least)
		return fault_set(s->call->fault, -EINVAL, "-%c %s is not a number from %u to %u",
				 letter, text, least, most);
	*value = (unsigned)number;
	return 0;
}

static int params_change(const struct sched *s, const struct xen_pool *pools, size_t count)
{
	const struct given *given = s->call->given;
	struct xen_sched_params params;
	struct xen_pool pool;
	size_t next = 0;
	int rc = pool_next(s, pools, count, &next, &pool);

	if (rc)
		return no_pool(s);
	if (!given_has(given, 't') && !given_has(given, 'r') && !given_has(given, 'm')) {
		if (s->json)
			yajl_gen_map_open(s->json);
		rc = params_show(s, pool.id);
		if (s->json)
			yajl_gen_map_close(s->json);
		return rc;
	}
	rc = xen_sched_params_get(s->call->ts->xen, pool.id, s->scheduler, &params, s->call->fault);
	if (!rc)
		rc = number_of(s, 't', 1, 1000, &params.tslice_ms);
	if (!rc)
		rc = number_of(s, 'r', 0, 500000, &params.ratelimit_us);
	if (!rc)
		rc = number_of(s, 'm', 0, 100000, &params.migration_us);
	return rc ? rc
		  : xen_sched_params_set(s->call->ts->xen, pool.id, s->scheduler, &params,
					 s->call->fault);
}

static int domain_change(const struct sched *s)
{
	const struct given *given = s->call->given;
	struct xen_domain domain = {0};
	struct xen_share share;
	uint16_t domid;
	int rc = name_find(s->call->ts, given_value(given, 'd'), &domid, s->call->fault);

	if (!rc && !given_has(given, 'w') && !given_has(given, 'c')) {
		header(s);
		return domain_show(s, domid);
	}
	if (!rc)
		rc = xen_domain_get(s->call->ts->xen, domid, &domain, s->call->fault);
	if (!rc)
		rc = xen_share_get(s->call->ts->xen, domid, s->scheduler, &share, s->call->fault);
	if (!rc)
		rc = number_of(s, 'w', 1, 65535, &share.weight);
	if (!rc)
		rc = number_of(s, 'c', 0, domain.max_vcpus * 100, &share.cap);
	return rc ? rc
		  : xen_share_set(s->call->ts->xen, domid, s->scheduler, &share, s->call->fault);
}

static int combination_check(const struct sched *s)
{
	const struct given *given = s->call->given;
	bool domain = given_has(given, 'd') || given_has(given, 'w') || given_has(given, 'c');
	const char *wrong = NULL;

	if (domain && (given_has(given, 'p') || given_has(given, 's')))
		wrong = "-p and -s go not together with -d, -w, -c";
	else if (domain && !given_has(given, 'd'))
		wrong = "-w and -c need a domain; add -d DOMAIN";
	else if (!given_has(given, 's') &&
		 (given_has(given, 't') || given_has(given, 'r') || given_has(given, 'm')))
		wrong = "-t, -r and -m need -s";
	return wrong ? fault_set(s->call->fault, -EINVAL, "sched-%s: %s", s->word, wrong) : 0;
}

static int sched_run(struct sched *s)
{
	struct xen_pool *pools = NULL;
	size_t count;
	int rc = combination_check(s);

	if (!rc)
		rc = xen_pools_get(s->call->ts->xen, &pools, &count, s->call->fault);
	if (rc)
		return rc;
	s->json = given_has(s->call->given, 'j') ? json_open() : NULL;
	if (s->json)
		yajl_gen_array_open(s->json);
	if (given_has(s->call->given, 'd'))
		rc = domain_change(s);
	else if (given_has(s->call->given, 's'))
		rc = params_change(s, pools, count);
	else
		rc = all_show(s, pools, count);
	free(pools);
	if (s->json && rc) {
		yajl_gen_free(s->json);
	} else if (s->json) {
		yajl_gen_array_close(s->json);
		json_close(s->json);
	}
	s->call->shown = true;
	return rc;
}

static int credit(struct domain_call *call)
{
	struct sched s = {.call = call, .scheduler = XEN_SCHED_CREDIT, .word = "credit"};

	return sched_run(&s);
}

static int credit2(struct domain_call *call)
{
	struct sched s = {.call = call, .scheduler = XEN_SCHED_CREDIT2, .word = "credit2"};

	return sched_run(&s);
}

int command_sched_credit(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"domain", required_argument, NULL, 'd'},
						{"weight", required_argument, NULL, 'w'},
						{"cap", required_argument, NULL, 'c'},
						{"schedparam", no_argument, NULL, 's'},
						{"tslice_ms", required_argument, NULL, 't'},
						{"ratelimit_us", required_argument, NULL, 'r'},
						{"migration_delay_us", required_argument, NULL,
						 'm'},
						{"cpupool", required_argument, NULL, 'p'},
						{0}};

	return command_here(self, argc, argv, options, 0, 0, credit);
}

int command_sched_credit2(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"domain", required_argument, NULL, 'd'},
						{"weight", required_argument, NULL, 'w'},
						{"cap", required_argument, NULL, 'c'},
						{"schedparam", no_argument, NULL, 's'},
						{"ratelimit_us", required_argument, NULL, 'r'},
						{"cpupool", required_argument, NULL, 'p'},
						{0}};

	return command_here(self, argc, argv, options, 0, 0, credit2);
}
