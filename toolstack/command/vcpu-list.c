#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/config/cpulist.h"
#include "toolstack/domain/name.h"
#include "toolstack/json.h"
#include "toolstack/xen/host.h"
#include "toolstack/xen/vcpu.h"

struct listing {
	struct domain_call *call;
	unsigned cpus; /* of the host */
	uint8_t *hard, *soft;
	yajl_gen json;
};

static void row_json(const struct listing *l, uint16_t domid, const char *name, unsigned number,
		     const struct xen_vcpu *v, const char *hard, const char *soft)
{
	yajl_gen_map_open(l->json);
	json_string(l->json, "name", name);
	json_number(l->json, "domid", domid);
	json_number(l->json, "vcpu", number);
	json_bool(l->json, "online", v->online);
	json_bool(l->json, "running", v->running);
	json_bool(l->json, "blocked", v->blocked);
	json_number(l->json, "cpu", v->cpu);
	json_number(l->json, "cpu_ns", (long long)v->ns);
	json_string(l->json, "affinity_hard", hard);
	json_string(l->json, "affinity_soft", soft);
	yajl_gen_map_close(l->json);
}

/* print_vcpuinfo() of xl_vcpu.c */
static void row_print(uint16_t domid, const char *name, unsigned number, const struct xen_vcpu *v,
		      const char *hard, const char *soft)
{
	printf("%-32s %5u %5u", name ? name : "(null)", domid, number);
	if (v->online)
		printf("%5u %3c%c- ", v->cpu, v->running ? 'r' : '-', v->blocked ? 'b' : '-');
	else
		printf("%5c %3c%cp ", '-', '-', '-');
	printf("%9.1f  %s / %s\n", (double)(float)v->ns / 1e9, hard, soft);
}

static int domain_show(const struct listing *l, uint16_t domid)
{
	char *name = name_of(l->call->ts, domid);
	char hard[512], soft[512];
	struct xen_vcpu vcpu;
	int rc = 0;

	for (unsigned i = 0; !rc; i++) {
		rc = xen_vcpu_get(l->call->ts->xen, domid, i, &vcpu, l->call->fault);
		/* The numbers end where there is none any more. */
		if (rc == -ESRCH || rc == -EINVAL || rc == -ENOENT) {
			rc = 0;
			break;
		}
		if (!rc)
			rc = xen_vcpu_affinity(l->call->ts->xen, domid, i, l->hard, l->soft,
					       l->call->fault);
		if (rc)
			break;
		cpulist_print(l->hard, l->cpus, hard, sizeof(hard));
		cpulist_print(l->soft, l->cpus, soft, sizeof(soft));
		if (l->json)
			row_json(l, domid, name, i, &vcpu, hard, soft);
		else
			row_print(domid, name, i, &vcpu, hard, soft);
	}
	free(name);
	return rc;
}

static int all_show(const struct listing *l)
{
	struct xen_domain *list;
	size_t count;
	int rc = xen_domain_list(l->call->ts->xen, &list, &count, l->call->fault);

	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++)
		rc = domain_show(l, list[i].domid);
	free(list);
	return rc;
}

static int named_show(const struct listing *l)
{
	uint16_t domid;
	int rc = 0;

	for (int i = 0; i < l->call->count && !rc; i++) {
		rc = name_find(l->call->ts, l->call->words[i], &domid, l->call->fault);
		if (!rc)
			rc = domain_show(l, domid);
	}
	return rc;
}

static int list(struct domain_call *call)
{
	struct listing l = {.call = call};
	struct xen_machine machine;
	int rc = xen_machine_get(call->ts->xen, &machine, call->fault);

	if (rc)
		return rc;
	l.cpus = machine.max_cpu + 1;
	l.hard = calloc(2, xen_map_bytes(call->ts->xen));
	if (!l.hard)
		return fault_memory(call->fault);
	l.soft = l.hard + xen_map_bytes(call->ts->xen);
	l.json = given_has(call->given, 'j') ? json_open() : NULL;
	if (l.json)
		yajl_gen_array_open(l.json);
	else
		printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State",
		       "Time(s)", "Affinity (Hard / Soft)");
	rc = call->count ? named_show(&l) : all_show(&l);
	if (l.json && rc) {
		yajl_gen_free(l.json);
	} else if (l.json) {
		yajl_gen_array_close(l.json);
		json_close(l.json);
	}
	free(l.hard);
	call->shown = true;
	return rc;
}

int command_vcpu_list(const struct command *self, int argc, char **argv)
{
	return command_here(self, argc, argv, NULL, 0, 1024, list);
}
