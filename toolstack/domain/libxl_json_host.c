/* What a guest has of its host: CPUs to run on, what it sees of them, ports, frames, interrupts. */
#include <stdlib.h>
#include <string.h>

#include "toolstack/config/privilege.h"
#include "toolstack/domain/cpuid.h"
#include "toolstack/domain/libxl_json_members.h"
#include "toolstack/json.h"

static void cpus_json(const struct libxl_source *s, const char *list)
{
	uint8_t *map = calloc(1, cpulist_bytes(s->host->cpus));

	yajl_gen_array_open(s->json);
	if (map && !cpulist_parse(list, s->host, map))
		for (unsigned cpu = 0; cpu < s->host->cpus; cpu++)
			if (map[cpu / 8] & 1u << cpu % 8)
				yajl_gen_integer(s->json, cpu);
	yajl_gen_array_close(s->json);
	free(map);
}

/* One list is for each vcpu. */
static void affinity_json(const struct libxl_source *s, const char *key, enum domain_option option)
{
	const struct option_value *value = &s->config->option[option];

	if (!value->given || !s->host)
		return;
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (size_t vcpu = 0; vcpu < s->config->maxvcpus; vcpu++)
		if (value->alone || vcpu < value->count)
			cpus_json(s, value->list[value->alone ? 0 : vcpu]);
	yajl_gen_array_close(s->json);
}

void libxl_json_hard_affinity(const struct libxl_source *s, const char *key)
{
	affinity_json(s, key, OPTION_CPUS);
}

void libxl_json_soft_affinity(const struct libxl_source *s, const char *key)
{
	affinity_json(s, key, OPTION_CPUS_SOFT);
}

/* As xl decides when libxl may place a guest. */
void libxl_json_placement(const struct libxl_source *s, const char *key)
{
	const struct option_value *hard = &s->config->option[OPTION_CPUS];

	if ((hard->given && !hard->alone) || s->config->option[OPTION_CPUS_SOFT].given)
		libxl_json_flag(s->json, key, false);
}

static void leaf_json(yajl_gen json, const struct xen_leaf *leaf)
{
	static const char *const registers[] = {"eax", "ebx", "ecx", "edx"};

	yajl_gen_map_open(json);
	json_number(json, "leaf", leaf->leaf);
	if (leaf->subleaf != UINT32_MAX)
		json_number(json, "subleaf", leaf->subleaf);
	for (int i = 0; i < 4; i++)
		libxl_json_text(json, registers[i], leaf->policy[i]);
	yajl_gen_map_close(json);
}

static void msr_json(yajl_gen json, const struct xen_msr *msr)
{
	yajl_gen_map_open(json);
	json_number(json, "index", msr->index);
	json_string(json, "policy", msr->policy);
	yajl_gen_map_close(json);
}

void libxl_json_cpuid(const struct libxl_source *s, const char *key)
{
	struct fault ignored = {0};
	struct xen_cpuid cpuid;

	if (!s->config->option[OPTION_CPUID].given || cpuid_parse(s->config, &cpuid, &ignored))
		return;
	json_key(s->json, key);
	yajl_gen_map_open(s->json);
	json_key(s->json, "cpuid");
	yajl_gen_array_open(s->json);
	for (size_t i = 0; i < cpuid.leaves; i++)
		leaf_json(s->json, &cpuid.leaf[i]);
	yajl_gen_array_close(s->json);
	json_key(s->json, "msr");
	yajl_gen_array_open(s->json);
	for (size_t i = 0; i < cpuid.msrs; i++)
		msr_json(s->json, &cpuid.msr[i]);
	yajl_gen_array_close(s->json);
	yajl_gen_map_close(s->json);
	cpuid_free(&cpuid);
}

static void ports_json(yajl_gen json, const struct privilege *ports)
{
	yajl_gen_map_open(json);
	json_number(json, "first", (long long)ports->first);
	json_number(json, "number", (long long)ports->count);
	yajl_gen_map_close(json);
}

static void irq_json(yajl_gen json, const struct privilege *irq)
{
	yajl_gen_integer(json, (long long)irq->first);
}

static void frames_json(yajl_gen json, const struct privilege *frames)
{
	yajl_gen_map_open(json);
	json_number(json, "start", (long long)frames->first);
	json_number(json, "number", (long long)frames->count);
	if (frames->guest != PRIVILEGE_SAME)
		json_number(json, "gfn", (long long)frames->guest);
	yajl_gen_map_close(json);
}

static void privileges_json(const struct libxl_source *s, const char *key,
			    enum domain_option option,
			    void (*write)(yajl_gen json, const struct privilege *privilege))
{
	size_t count;
	char *const *texts = config_texts(s->config, option, &count);
	struct privilege privilege;

	if (!count)
		return;
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (size_t i = 0; i < count; i++)
		if (!privilege_read(option, texts[i], &privilege))
			write(s->json, &privilege);
	yajl_gen_array_close(s->json);
}

void libxl_json_ioports(const struct libxl_source *s, const char *key)
{
	privileges_json(s, key, OPTION_IOPORTS, ports_json);
}

void libxl_json_irqs(const struct libxl_source *s, const char *key)
{
	privileges_json(s, key, OPTION_IRQS, irq_json);
}

void libxl_json_iomem(const struct libxl_source *s, const char *key)
{
	privileges_json(s, key, OPTION_IOMEM, frames_json);
}
