#include "toolstack/domain/tuning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xs.h"
#include "toolstack/config/privilege.h"
#include "toolstack/domain/cpuid.h"
#include "toolstack/domain/name.h"
#include "toolstack/xen/host.h"
#include "toolstack/xen/tune.h"
#include "toolstack/xen/vcpu.h"

/* libxl's: enough for a guest, and what Xen gives without more memory. */
#define EVTCHN_PORT_MAX 1023

int tuning_host(struct toolstack *ts, struct cpulist_host *host, struct fault *fault)
{
	struct xen_cpu *cpus;
	unsigned *nodes, count;
	int rc = xen_cpus_get(ts->xen, &cpus, &count, fault);

	if (rc)
		return rc;
	nodes = calloc(count + 1, sizeof(*nodes));
	for (unsigned i = 0; nodes && i < count; i++)
		nodes[i] = cpus[i].node;
	*host = (struct cpulist_host){.cpus = count, .node = nodes};
	free(cpus);
	return nodes ? 0 : fault_memory(fault);
}

void tuning_host_free(struct cpulist_host *host)
{
	free((unsigned *)host->node);
	*host = (struct cpulist_host){0};
}

int tuning_map(struct toolstack *ts, const char *list, const char *place, uint8_t **map,
	       struct fault *fault)
{
	struct cpulist_host host;
	int rc = tuning_host(ts, &host, fault);

	if (rc)
		return rc;
	*map = calloc(1, xen_map_bytes(ts->xen) + cpulist_bytes(host.cpus));
	rc = *map ? cpulist_parse(list, &host, *map) : -ENOMEM;
	if (rc == -ERANGE)
		fault_set(fault, rc, "%s: \"%s\" goes beyond the %u CPUs of this host", place, list,
			  host.cpus);
	else if (rc == -EINVAL)
		fault_set(fault, rc, "%s: \"%s\" is no list of CPUs; write for example \"0-3,^1\"",
			  place, list);
	else if (rc)
		fault_memory(fault);
	if (rc)
		free(*map);
	tuning_host_free(&host);
	return rc;
}

/* @visit is called for each vcpu that the option says something of. */
static int affinity_walk(struct toolstack *ts, const struct domain_config *config,
			 enum domain_option option, uint16_t domid,
			 int (*visit)(struct toolstack *ts, uint16_t domid, unsigned vcpu,
				      const uint8_t *map, enum domain_option option,
				      struct fault *fault),
			 struct fault *fault)
{
	const struct option_value *value = &config->option[option];
	char place[256], words[300];
	uint8_t *map;
	int rc = 0;

	option_place(config, option, place, sizeof(place));
	snprintf(words, sizeof(words), "%s: %s", place, option_key(option));
	for (unsigned vcpu = 0; vcpu < config->maxvcpus && !rc; vcpu++) {
		size_t index = value->alone ? 0 : vcpu;

		if (!value->given || index >= value->count)
			break;
		rc = tuning_map(ts, value->list[index], words, &map, fault);
		if (rc)
			break;
		rc = visit ? visit(ts, domid, vcpu, map, option, fault) : 0;
		free(map);
	}
	return rc;
}

static int vcpu_pin(struct toolstack *ts, uint16_t domid, unsigned vcpu, const uint8_t *map,
		    enum domain_option option, struct fault *fault)
{
	bool hard = option == OPTION_CPUS;

	return xen_vcpu_pin(ts->xen, domid, vcpu, hard ? map : NULL, hard ? NULL : map, false,
			    fault);
}

/* Names of pools are the toolstacks' own. */
char *tuning_pool_name(struct toolstack *ts, uint32_t pool)
{
	char *name = xs_read_string(ts->xs, XBT_NULL, "/local/pool/%u/name", pool);

	if (!name && asprintf(&name, "Pool-%u", pool) < 0)
		name = NULL;
	return name;
}

void tuning_nodes(struct toolstack *ts, uint16_t domid, char *text, size_t size)
{
	struct fault ignored = {0};
	uint8_t map[64];
	unsigned nodes;

	if (xen_node_affinity(ts->xen, domid, map, sizeof(map), &nodes, &ignored))
		snprintf(text, size, "?");
	else
		cpulist_print(map, nodes, text, size);
}

static int pool_find(struct toolstack *ts, const struct domain_config *config,
		     struct xen_pool *found, struct fault *fault)
{
	const char *wanted = config_text(config, OPTION_POOL);
	struct xen_pool *pools;
	char place[256];
	size_t count;
	bool known = false;
	int rc = xen_pools_get(ts->xen, &pools, &count, fault);

	if (rc)
		return rc;
	for (size_t i = 0; i < count && !known; i++) {
		char *name = tuning_pool_name(ts, pools[i].id), id[16];

		snprintf(id, sizeof(id), "%u", pools[i].id);
		known = !wanted || !strcmp(wanted, id) || (name && !strcmp(wanted, name));
		if (known)
			*found = pools[i];
		free(name);
	}
	free(pools);
	if (known)
		return 0;
	option_place(config, OPTION_POOL, place, sizeof(place));
	return fault_set(fault, -ENOENT,
			 "%s: there is no CPU pool \"%s\"; xl cpupool-list shows them", place,
			 wanted ? wanted : "");
}

static bool wants_share(const struct domain_config *config)
{
	return config->option[OPTION_CPU_WEIGHT].given || config->option[OPTION_CAP].given;
}

static int share_check(struct toolstack *ts, const struct domain_config *config,
		       struct fault *fault)
{
	enum domain_option option = config->option[OPTION_CAP].given ? OPTION_CAP
								     : OPTION_CPU_WEIGHT;
	int64_t cap = config_number(config, OPTION_CAP, 0);
	struct xen_pool pool;
	char place[256];
	int rc = 0;

	if (!wants_share(config) && !config->option[OPTION_POOL].given)
		return 0;
	rc = pool_find(ts, config, &pool, fault);
	if (rc || !wants_share(config))
		return rc;
	option_place(config, option, place, sizeof(place));
	if (pool.scheduler == XEN_SCHED_OTHER)
		return fault_set(fault, -ENOTSUP,
				 "%s: the scheduler of its CPU pool knows no %s; remove it", place,
				 option_key(option));
	if (cap > (int64_t)config->maxvcpus * 100)
		return fault_set(fault, -EINVAL,
				 "%s: cap=%" PRId64 " is more than its %u vcpus can use (%u)",
				 place, cap, config->maxvcpus, config->maxvcpus * 100);
	return 0;
}

static int privilege_give(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
			  enum domain_option option, const struct privilege *p, struct fault *fault)
{
	int rc;

	switch (option) {
	case OPTION_IOPORTS:
		return xen_ioports_allow(ts->xen, domid, (uint32_t)p->first, (uint32_t)p->count,
					 fault);
	case OPTION_IRQS:
		return xen_irq_allow(ts->xen, domid, (uint32_t)p->first, fault);
	default:
		rc = xen_iomem_allow(ts->xen, domid, p->first, p->count, fault);
		if (!rc && config->type != DOMAIN_PV)
			rc = xen_iomem_map(ts->xen, domid,
					   p->guest == PRIVILEGE_SAME ? p->first : p->guest,
					   p->first, p->count, fault);
		return rc;
	}
}

/* @give: also let the domain have them. */
static int privileges_walk(struct toolstack *ts, const struct domain_config *config, bool give,
			   uint16_t domid, struct fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < privilege_option_count && !rc; i++) {
		enum domain_option option = privilege_options[i];
		size_t count;
		char *const *texts = config_texts(config, option, &count);

		for (size_t n = 0; n < count && !rc; n++) {
			struct privilege privilege;
			char place[256];

			option_place(config, option, place, sizeof(place));
			rc = privilege_read(option, texts[n], &privilege);
			if (rc)
				fault_set(fault, rc,
					  "%s: %s: \"%s\" cannot be read; write for example "
					  "\"%s\"",
					  place, option_key(option), texts[n],
					  privilege_example(option));
			else if (give)
				rc = privilege_give(ts, config, domid, option, &privilege, fault);
		}
	}
	return rc;
}

static int domid_check(struct toolstack *ts, const struct domain_config *config,
		       struct fault *fault)
{
	uint16_t domid = (uint16_t)config_number(config, OPTION_DOMID, 0);
	struct xen_domain domain;
	struct fault ignored = {0};
	char place[256], *name;

	if (!domid || xen_domain_get(ts->xen, domid, &domain, &ignored))
		return 0;
	option_place(config, OPTION_DOMID, place, sizeof(place));
	name = name_of(ts, domid);
	fault_set(fault, -EEXIST,
		  "%s: domid=%u is domain %s; give another number, or none for the next free one",
		  place, domid, name ? name : "(without a name)");
	free(name);
	return -EEXIST;
}

int tuning_plan(struct toolstack *ts, const struct domain_config *config, struct fault *fault)
{
	struct xen_cpuid cpuid;
	int rc = domid_check(ts, config, fault);

	if (!rc)
		rc = affinity_walk(ts, config, OPTION_CPUS, 0, NULL, fault);
	if (!rc)
		rc = affinity_walk(ts, config, OPTION_CPUS_SOFT, 0, NULL, fault);
	if (!rc)
		rc = share_check(ts, config, fault);
	if (!rc)
		rc = privileges_walk(ts, config, false, 0, fault);
	if (!rc)
		rc = cpuid_parse(config, &cpuid, fault);
	if (!rc)
		cpuid_free(&cpuid);
	return rc;
}

int tuning_limits(struct toolstack *ts, const struct domain_config *config,
		  struct xen_limits *limits, struct fault *fault)
{
	struct xen_pool pool = {0};
	int rc = config->option[OPTION_POOL].given ? pool_find(ts, config, &pool, fault) : 0;

	if (rc)
		return rc;
	*limits = (struct xen_limits){
		.domid = (uint16_t)config_number(config, OPTION_DOMID, 0),
		.vcpus = config->maxvcpus,
		.memory_kib = config->memory_kib,
		.maxmem_kib = config->maxmem_kib,
		.pool = pool.id,
		.event_channels =
			(uint32_t)config_number(config, OPTION_MAX_EVENT_CHANNELS, EVTCHN_PORT_MAX),
		.grant_frames = (int32_t)config_number(config, OPTION_MAX_GRANT_FRAMES, -1),
		.maptrack_frames = (int32_t)config_number(config, OPTION_MAX_MAPTRACK_FRAMES, -1),
		.grant_version = (unsigned)config_number(config, OPTION_MAX_GRANT_VERSION, 1),
		.no_hap = !config_flag(config, OPTION_HAP, true),
		.nested = config_flag(config, OPTION_NESTEDHVM, false),
		.vpmu = config_flag(config, OPTION_VPMU, false),
		.no_pae = !config_flag(config, OPTION_PAE, true),
		.no_migrate = config_flag(config, OPTION_NOMIGRATE, false),
		.shadow_mib = (uint32_t)config_number(config, OPTION_SHADOW_MEMORY, 0),
		.tsc_mode = (unsigned)config_number(config, OPTION_TSC_MODE, 0),
		.timer_mode = (unsigned)config_number(config, OPTION_TIMER_MODE, 1),
	};
	uuid_copy(limits->uuid, config->uuid);
	return cpuid_parse(config, &limits->cpuid, fault);
}

void tuning_limits_free(struct xen_limits *limits)
{
	cpuid_free(&limits->cpuid);
}

static int share_apply(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		       struct fault *fault)
{
	struct xen_share share = {0};
	struct xen_pool pool = {0};
	int rc = pool_find(ts, config, &pool, fault);

	if (!rc)
		rc = xen_share_get(ts->xen, domid, pool.scheduler, &share, fault);
	if (rc)
		return rc;
	share.weight = (unsigned)config_number(config, OPTION_CPU_WEIGHT, share.weight);
	share.cap = (unsigned)config_number(config, OPTION_CAP, share.cap);
	return xen_share_set(ts->xen, domid, pool.scheduler, &share, fault);
}

static int32_t clock_offset(const struct domain_config *config)
{
	int64_t offset = config_number(config, OPTION_RTC_TIMEOFFSET, 0);
	time_t now = time(NULL);
	struct tm local;

	if (config_flag(config, OPTION_LOCALTIME, false) && localtime_r(&now, &local))
		offset += local.tm_gmtoff;
	return (int32_t)offset;
}

int tuning_apply(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		 struct fault *fault)
{
	int32_t offset = clock_offset(config);
	int rc = affinity_walk(ts, config, OPTION_CPUS, domid, vcpu_pin, fault);

	if (!rc)
		rc = affinity_walk(ts, config, OPTION_CPUS_SOFT, domid, vcpu_pin, fault);
	if (!rc && wants_share(config))
		rc = share_apply(ts, config, domid, fault);
	if (!rc && offset)
		rc = xen_clock_offset(ts->xen, domid, offset, fault);
	return rc ? rc : privileges_walk(ts, config, true, domid, fault);
}
