#include "toolstack/domain/list.h"

#include <stdio.h>
#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/config_json.h"
#include "toolstack/domain/list_long.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/tuning.h"
#include "toolstack/json.h"

struct listing {
	struct toolstack *ts;
	struct list_columns columns;
	bool detailed;
	bool as_xl;    /* its JSON is xl's, not ours */
	yajl_gen json; /* NULL: text */
	struct xen_pool *pools;
	size_t pool_count;
	struct fault *fault;
};

static void config_add(const struct listing *l, uint16_t domid)
{
	struct domain_config config;
	struct fault ignored = {0};

	json_key(l->json, "config");
	if (record_config_read(l->ts, XBT_NULL, domid, &config, &ignored)) {
		yajl_gen_null(l->json);
		return;
	}
	config_json(l->json, &config);
	domain_config_free(&config);
}

static void row_show(const struct listing *l, const struct xen_domain *domain, const char *name)
{
	struct list_columns columns = l->columns;
	char *pool = columns.pool ? tuning_pool_name(l->ts, domain->pool) : NULL;
	char nodes[256];

	if (columns.pool)
		columns.pool = pool ? pool : "?";
	if (columns.nodes) {
		tuning_nodes(l->ts, domain->domid, nodes, sizeof(nodes));
		columns.nodes = nodes;
	}
	list_row(stdout, domain, name, &columns);
	free(pool);
}

static void show(const struct listing *l, const struct xen_domain *domain)
{
	char *name;

	if (l->as_xl) {
		list_long(l->ts, l->json, domain, l->pools, l->pool_count);
		return;
	}
	name = name_of(l->ts, domain->domid);
	if (l->json) {
		yajl_gen_map_open(l->json);
		list_json(l->json, domain, name);
		if (l->detailed)
			config_add(l, domain->domid);
		yajl_gen_map_close(l->json);
	} else {
		row_show(l, domain, name);
	}
	free(name);
}

static int named_list(const struct listing *l, int count, char **words)
{
	struct xen_domain domain;
	uint16_t domid;
	int rc = 0;

	for (int i = 0; i < count && !rc; i++) {
		rc = name_find(l->ts, words[i], &domid, l->fault);
		if (!rc)
			rc = xen_domain_get(l->ts->xen, domid, &domain, l->fault);
		if (!rc && !i && !l->json)
			list_header(stdout, &l->columns);
		if (!rc)
			show(l, &domain);
		else if (!l->fault->text[0])
			fault_set(l->fault, rc,
				  "domain %u has ended and left nodes behind; xsplit destroy %u "
				  "removes them",
				  domid, domid);
	}
	return rc;
}

static int all_list(const struct listing *l)
{
	struct xen_domain *domain;
	size_t count;
	int rc = xen_domain_list(l->ts->xen, &domain, &count, l->fault);

	if (rc)
		return rc;
	if (!l->json)
		list_header(stdout, &l->columns);
	for (size_t i = 0; i < count; i++)
		show(l, &domain[i]);
	free(domain);
	return 0;
}

static int list(struct listing *l, int count, char **words)
{
	int rc = 0;

	if (l->json)
		yajl_gen_array_open(l->json);
	if (l->as_xl)
		rc = xen_pools_get(l->ts->xen, &l->pools, &l->pool_count, l->fault);
	if (!rc)
		rc = count ? named_list(l, count, words) : all_list(l);
	free(l->pools);
	if (!rc && l->json) {
		yajl_gen_array_close(l->json);
		json_close(l->json);
		if (l->as_xl)
			putchar('\n');
	} else if (l->json) {
		yajl_gen_free(l->json);
	}
	return rc;
}

int command_list(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{"long", no_argument, NULL, 'l'},    {"verbose", no_argument, NULL, 'v'},
		{"context", no_argument, NULL, 'Z'}, {"cpupool", no_argument, NULL, 'c'},
		{"numa", no_argument, NULL, 'n'},    {0}};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	struct listing l = {.ts = &ts, .fault = &fault};
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	l.columns = (struct list_columns){
		.verbose = given_has(&given, 'v'),
		.label = given_has(&given, 'Z'),
		.pool = given_has(&given, 'c') ? "" : NULL,
		.nodes = given_has(&given, 'n') ? "" : NULL,
	};
	l.detailed = given_has(&given, 'l');
	l.as_xl = l.detailed && !given_has(&given, 'j');
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		if (l.detailed || given_has(&given, 'j'))
			l.json = json_open();
		rc = list(&l, argc - optind, argv + optind);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}
