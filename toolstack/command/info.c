/* The lines of xl info (xl_info.c): scripts parse them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "toolstack/command/command.h"
#include "toolstack/json.h"
#include "toolstack/xen/host.h"

/* One line, or one member, or, when a name was asked for, the value of that. */
struct teller {
	const char *wanted;
	yajl_gen json;
};

static void tell(const struct teller *t, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(const struct teller *t, const char *key, const char *format, ...)
{
	char value[1200];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (t->wanted && strncmp(key, t->wanted, strlen(t->wanted)) != 0)
		return;
	if (t->json)
		json_string(t->json, key, value);
	else if (t->wanted)
		puts(value);
	else
		printf("%-23s: %s\n", key, value);
}

static void tell_number(const struct teller *t, const char *key, uint64_t value)
{
	if (t->json && (!t->wanted || !strncmp(key, t->wanted, strlen(t->wanted))))
		json_number(t->json, key, (long long)value);
	else if (!t->json)
		tell(t, key, "%" PRIu64, value);
}

static void host_tell(const struct teller *t)
{
	struct utsname host;

	if (uname(&host))
		return;
	tell(t, "host", "%s", host.nodename);
	tell(t, "release", "%s", host.release);
	tell(t, "version", "%s", host.version);
	tell(t, "machine", "%s", host.machine);
}

/* With a blank before each; xl puts none behind the colon. */
static void capabilities_tell(const struct teller *t, const struct xen_machine *m)
{
	const struct {
		bool has;
		const char *word;
	} can[] = {
		{m->pv, "pv"},
		{m->hvm, "hvm"},
		{m->hvm && m->directio, "hvm_directio"},
		{m->pv && m->directio, "pv_directio"},
		{m->hap, "hap"},
		{m->shadow, "shadow"},
		{m->iommu_share, "iommu_hap_pt_share"},
		{m->vmtrace, "vmtrace"},
		{m->vpmu, "vpmu"},
		{m->grant1, "gnttab-v1"},
		{m->grant2, "gnttab-v2"},
	};
	char words[160] = "";

	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++)
		if (can[i].has)
			snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
				 *words ? " " : "", can[i].word);
	tell(t, "virt_caps", "%s", words);
}

static void machine_tell(const struct teller *t, const struct xen_machine *m)
{
	const uint32_t *f = m->features;

	tell_number(t, "nr_cpus", m->cpus);
	tell_number(t, "max_cpu_id", m->max_cpu);
	tell_number(t, "nr_nodes", m->nodes);
	tell_number(t, "cores_per_socket", m->cores);
	tell_number(t, "threads_per_core", m->threads);
	tell(t, "cpu_mhz", "%u.%03u", m->khz / 1000, m->khz % 1000);
	tell(t, "hw_caps", "%08x:%08x:%08x:%08x:%08x:%08x:%08x:%08x", f[0], f[1], f[2], f[3], f[4],
	     f[5], f[6], f[7]);
	capabilities_tell(t, m);
	tell_number(t, "total_memory", m->total_kib >> 10);
	tell_number(t, "free_memory", m->free_kib >> 10);
	tell_number(t, "sharing_freed_memory", m->shared_freed_pages >> 8);
	tell_number(t, "sharing_used_memory", m->shared_used_pages >> 8);
	tell_number(t, "outstanding_claims", m->claimed_kib >> 10);
	tell_number(t, "free_cpus", m->free_cpus);
}

static void version_tell(const struct teller *t, const struct xen_version *v)
{
	tell_number(t, "xen_major", v->major);
	tell_number(t, "xen_minor", v->minor);
	tell(t, "xen_extra", "%s", v->extra);
	tell(t, "xen_version", "%u.%u%s", v->major, v->minor, v->extra);
	tell(t, "xen_caps", "%s", v->capabilities);
	tell(t, "xen_scheduler", "%s", v->scheduler);
	tell_number(t, "xen_pagesize", v->page_size);
	tell(t, "platform_params", "virt_start=0x%" PRIx64, v->virt_start);
	tell(t, "xen_changeset", "%s", v->changeset);
	tell(t, "xen_commandline", "%s", v->commandline);
	tell(t, "cc_compiler", "%s", v->compiler);
	tell(t, "cc_compile_by", "%s", v->by);
	tell(t, "cc_compile_domain", "%s", v->domain);
	tell(t, "cc_compile_date", "%s", v->date);
	tell(t, "build_id", "%s", v->build_id);
}

static void cpus_tell(const struct teller *t, const struct xen_cpu *cpus, unsigned count)
{
	if (t->json) {
		json_key(t->json, "cpu_topology");
		yajl_gen_array_open(t->json);
	} else {
		puts("cpu_topology           :\ncpu:    core    socket     node");
	}
	for (unsigned i = 0; i < count; i++) {
		if (!cpus[i].present)
			continue;
		if (!t->json) {
			printf("%3u:    %4u     %4u     %4u\n", i, cpus[i].core, cpus[i].socket,
			       cpus[i].node);
			continue;
		}
		yajl_gen_map_open(t->json);
		json_number(t->json, "cpu", i);
		json_number(t->json, "core", cpus[i].core);
		json_number(t->json, "socket", cpus[i].socket);
		json_number(t->json, "node", cpus[i].node);
		yajl_gen_map_close(t->json);
	}
	if (t->json)
		yajl_gen_array_close(t->json);
	else
		puts("device topology        :\ndevice           node\n"
		     "No device topology data available");
}

static void node_json(yajl_gen json, const struct xen_node *node, const unsigned *distances,
		      unsigned index, unsigned count)
{
	yajl_gen_map_open(json);
	json_number(json, "node", index);
	json_number(json, "memory_mib", (long long)(node->bytes >> 20));
	json_number(json, "free_mib", (long long)(node->free_bytes >> 20));
	json_key(json, "distances");
	yajl_gen_array_open(json);
	for (unsigned n = 0; n < count; n++)
		yajl_gen_integer(json, distances[n]);
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
}

static void nodes_tell(const struct teller *t, const struct xen_node *nodes,
		       const unsigned *distances, unsigned count)
{
	if (t->json) {
		json_key(t->json, "numa_info");
		yajl_gen_array_open(t->json);
	} else {
		puts("numa_info              :\nnode:    memsize    memfree    distances");
	}
	for (unsigned i = 0; i < count; i++) {
		if (!nodes[i].present)
			continue;
		if (t->json) {
			node_json(t->json, &nodes[i], distances + (size_t)i * count, i, count);
			continue;
		}
		printf("%4u:    %6" PRIu64 "     %6" PRIu64 "      ", i, nodes[i].bytes >> 20,
		       nodes[i].free_bytes >> 20);
		for (unsigned n = 0; n < count; n++)
			printf("%s%u", n ? "," : "", distances[(size_t)i * count + n]);
		putchar('\n');
	}
	if (t->json)
		yajl_gen_array_close(t->json);
}

static int topology_tell(struct domain_call *call, const struct teller *t)
{
	struct xen_node *nodes;
	struct xen_cpu *cpus;
	unsigned *distances, count;
	int rc = xen_cpus_get(call->ts->xen, &cpus, &count, call->fault);

	if (rc)
		return rc;
	cpus_tell(t, cpus, count);
	free(cpus);
	rc = xen_nodes_get(call->ts->xen, &nodes, &distances, &count, call->fault);
	if (rc)
		return rc;
	nodes_tell(t, nodes, distances, count);
	free(nodes);
	free(distances);
	return 0;
}

static int info(struct domain_call *call)
{
	struct teller t = {.wanted = call->count ? call->words[0] : NULL};
	struct xen_machine machine;
	struct xen_version version;
	int rc = xen_machine_get(call->ts->xen, &machine, call->fault);

	if (!rc)
		rc = xen_version_get(call->ts->xen, &version, call->fault);
	if (rc)
		return rc;
	t.json = given_has(call->given, 'j') ? json_open() : NULL;
	if (t.json)
		yajl_gen_map_open(t.json);
	host_tell(&t);
	machine_tell(&t, &machine);
	if (given_has(call->given, 'n') && !t.wanted)
		rc = topology_tell(call, &t);
	version_tell(&t, &version);
	tell_number(&t, "xend_config_format", 4);
	if (t.json && rc) {
		yajl_gen_free(t.json);
	} else if (t.json) {
		yajl_gen_map_close(t.json);
		json_close(t.json);
	}
	call->shown = true;
	return rc;
}

int command_info(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"numa", no_argument, NULL, 'n'}, {0}};

	return command_here(self, argc, argv, options, 0, 1, info);
}
