#include "toolstack/domain/list.h"

#include <inttypes.h>
#include <xen/sched.h>

#include "toolstack/json.h"

static const struct {
	char letter;
	const char *word;
} reasons[] = {
	[SHUTDOWN_poweroff] = {'-', "poweroff"}, [SHUTDOWN_reboot] = {'r', "reboot"},
	[SHUTDOWN_suspend] = {'s', "suspend"},   [SHUTDOWN_crash] = {'c', "crash"},
	[SHUTDOWN_watchdog] = {'w', "watchdog"}, [SHUTDOWN_soft_reset] = {'S', "soft-reset"},
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *list_reason(unsigned reason)
{
	return reason < REASONS ? reasons[reason].word : "unknown";
}

void list_header(FILE *out, const struct list_columns *columns)
{
	fputs("Name                                        ID   Mem VCPUs\tState\tTime(s)", out);
	if (columns->verbose)
		fputs("   UUID                            Reason-Code\tSecurity Label", out);
	else if (columns->label)
		fputs("   Security Label", out);
	if (columns->pool)
		fputs("         Cpupool", out);
	if (columns->nodes)
		fputs(" NODE Affinity", out);
	fputc('\n', out);
}

static char reason_letter(const struct xen_domain *d)
{
	if (!d->shutdown)
		return '-';
	return d->shutdown_reason < REASONS ? reasons[d->shutdown_reason].letter : '?';
}

void list_row(FILE *out, const struct xen_domain *d, const char *name,
	      const struct list_columns *columns)
{
	char uuid[UUID_STR_LEN];

	fprintf(out, "%-40s %5d %5lu %5d     %c%c%c%c%c%c  %8.1f", name ? name : "(null)", d->domid,
		(unsigned long)(d->memory_kib / 1024), (int)d->vcpus, d->running ? 'r' : '-',
		d->blocked ? 'b' : '-', d->paused ? 'p' : '-', d->shutdown ? 's' : '-',
		reason_letter(d), d->dying ? 'd' : '-', (double)(float)d->cpu_ns / 1e9);
	if (columns->verbose) {
		uuid_unparse_lower(d->uuid, uuid);
		fprintf(out, " %s", uuid);
		if (d->shutdown)
			fprintf(out, " %8x", d->shutdown_reason);
		else
			fprintf(out, " %8s", "-");
	}
	if (columns->verbose || columns->label)
		fprintf(out, " %16s", "-");
	if (columns->pool)
		fprintf(out, "%16s", columns->pool);
	if (columns->nodes)
		fprintf(out, " %s", columns->nodes);
	fputc('\n', out);
}

void list_json(yajl_gen json, const struct xen_domain *d, const char *name)
{
	char uuid[UUID_STR_LEN];

	uuid_unparse_lower(d->uuid, uuid);
	json_string(json, "name", name);
	json_number(json, "domid", d->domid);
	json_string(json, "uuid", uuid);
	json_number(json, "memory_kib", (long long)d->memory_kib);
	json_number(json, "vcpus", d->vcpus);
	json_number(json, "cpupool", d->pool);
	json_bool(json, "running", d->running);
	json_bool(json, "blocked", d->blocked);
	json_bool(json, "paused", d->paused);
	json_bool(json, "shutdown", d->shutdown);
	json_bool(json, "dying", d->dying);
	json_string(json, "shutdown_reason", d->shutdown ? list_reason(d->shutdown_reason) : NULL);
	json_number(json, "cpu_ns", (long long)d->cpu_ns);
}
