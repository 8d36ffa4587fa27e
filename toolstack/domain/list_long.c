#include "toolstack/domain/list_long.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs.h"
#include "toolstack/domain/libxl_json.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/tuning.h"
#include "toolstack/domain/userdata.h"
#include "toolstack/json.h"

static void sched_get(struct toolstack *ts, const struct xen_domain *domain,
		      const struct xen_pool *pools, size_t count, struct libxl_sched *sched)
{
	struct xen_share share;
	struct fault ignored = {0};

	*sched = (struct libxl_sched){.word = "unknown"};
	for (size_t i = 0; i < count; i++) {
		if (pools[i].id != domain->pool)
			continue;
		sched->word = pools[i].word;
		if (pools[i].scheduler == XEN_SCHED_OTHER ||
		    xen_share_get(ts->xen, domain->domid, pools[i].scheduler, &share, &ignored))
			continue;
		sched->shares = true;
		sched->weight = share.weight;
		sched->cap = share.cap;
	}
}

static uint32_t vcpus_online(struct toolstack *ts, uint16_t domid, uint32_t most)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < most; i++) {
		char *state = xs_read_string(ts->xs, XBT_NULL,
					     "/local/domain/%u/cpu/%" PRIu32 "/availability", domid,
					     i);

		count += state && !strcmp(state, "online");
		free(state);
	}
	return count;
}

/* Another toolstack may have given it another name, other memory and vcpus since. */
static void config_renew(struct toolstack *ts, uint16_t domid, struct domain_config *config)
{
	char *name = name_of(ts, domid);
	uint64_t target, video = 0, most;

	if (name) {
		free(config->name);
		config->name = name;
	}
	if (!xs_read_number(ts->xs, XBT_NULL, UINT64_MAX >> 11, &target,
			    "/local/domain/%u/memory/target", domid)) {
		xs_read_number(ts->xs, XBT_NULL, UINT64_MAX >> 11, &video,
			       "/local/domain/%u/memory/videoram", domid);
		config->memory_kib = target + video;
	}
	if (!xs_read_number(ts->xs, XBT_NULL, UINT64_MAX >> 11, &most,
			    "/local/domain/%u/memory/static-max", domid))
		config->maxmem_kib = most;
	config->vcpus = vcpus_online(ts, domid, config->maxvcpus);
}

static void domain_open(yajl_gen json, uint16_t domid)
{
	yajl_gen_map_open(json);
	json_number(json, "domid", domid);
	json_key(json, "config");
}

static void stranger_json(yajl_gen json, const struct xen_domain *domain)
{
	char *text = userdata_read(domain->domid, domain->uuid);
	yajl_val config = text ? yajl_tree_parse(text, NULL, 0) : NULL;

	if (config) {
		domain_open(json, domain->domid);
		json_copy(json, config);
		yajl_gen_map_close(json);
	}
	yajl_tree_free(config);
	free(text);
}

void list_long(struct toolstack *ts, yajl_gen json, const struct xen_domain *domain,
	       const struct xen_pool *pools, size_t count)
{
	struct domain_config config;
	struct cpulist_host host = {0};
	struct libxl_sched sched;
	struct fault ignored = {0};

	if (record_config_read(ts, XBT_NULL, domain->domid, &config, &ignored)) {
		stranger_json(json, domain);
		return;
	}
	config_renew(ts, domain->domid, &config);
	sched_get(ts, domain, pools, count, &sched);
	domain_open(json, domain->domid);
	libxl_json_config(json, &config, &sched, tuning_host(ts, &host, &ignored) ? NULL : &host);
	yajl_gen_map_close(json);
	tuning_host_free(&host);
	domain_config_free(&config);
}
