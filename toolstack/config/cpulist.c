#include "toolstack/config/cpulist.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct reader {
	const char *at;
	const struct cpulist_host *host; /* NULL: only the form counts */
	uint8_t *map;
};

static bool word_take(struct reader *r, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(r->at, word, length) != 0)
		return false;
	r->at += length;
	return true;
}

static bool number_take(struct reader *r, unsigned *number)
{
	const char *start = r->at;
	unsigned value = 0;

	while (*r->at >= '0' && *r->at <= '9' && value <= CPULIST_MAX)
		value = value * 10 + (unsigned)(*r->at++ - '0');
	*number = value;
	return r->at != start && value <= CPULIST_MAX;
}

static unsigned node_of(const struct cpulist_host *host, unsigned cpu)
{
	return host->node ? host->node[cpu] : 0;
}

static void cpu_mark(struct reader *r, unsigned cpu, bool without)
{
	if (without)
		r->map[cpu / 8] &= (uint8_t) ~(1u << cpu % 8);
	else
		r->map[cpu / 8] |= (uint8_t)(1u << cpu % 8);
}

static int range_mark(struct reader *r, unsigned first, unsigned last, bool nodes, bool without)
{
	bool found = false;

	if (!r->host)
		return 0;
	if (!nodes && last >= r->host->cpus)
		return -ERANGE;
	for (unsigned cpu = 0; cpu < r->host->cpus; cpu++) {
		unsigned number = nodes ? node_of(r->host, cpu) : cpu;

		if (number < first || number > last)
			continue;
		found = true;
		cpu_mark(r, cpu, without);
	}
	return found ? 0 : -ERANGE;
}

/* [^](all | N | N-M | node[s]:...) */
static int item_take(struct reader *r)
{
	bool without = word_take(r, "^");
	bool nodes = word_take(r, "nodes:") || word_take(r, "node:");
	unsigned first = 0, last = CPULIST_MAX;

	if (word_take(r, "all"))
		return range_mark(r, 0, r->host && !nodes ? r->host->cpus - 1 : last, nodes,
				  without);
	/* "nodes:^0" as well as "^nodes:0" */
	if (nodes && word_take(r, "^"))
		without = !without;
	if (!number_take(r, &first))
		return -EINVAL;
	last = first;
	if (word_take(r, "-") && (!number_take(r, &last) || last < first))
		return -EINVAL;
	return range_mark(r, first, last, nodes, without);
}

static int read_all(struct reader *r)
{
	int rc;

	if (!strcmp(r->at, "none"))
		return 0;
	do {
		r->at += strspn(r->at, " \t");
		rc = item_take(r);
		r->at += strspn(r->at, " \t");
	} while (!rc && word_take(r, ","));
	return rc ? rc : *r->at ? -EINVAL : 0;
}

int cpulist_check(const char *text)
{
	struct reader r = {.at = text};

	return read_all(&r);
}

int cpulist_parse(const char *text, const struct cpulist_host *host, uint8_t *map)
{
	struct reader r = {.at = text, .host = host, .map = map};

	memset(map, 0, cpulist_bytes(host->cpus));
	return read_all(&r);
}

static bool has(const uint8_t *map, unsigned cpu)
{
	return map[cpu / 8] >> cpu % 8 & 1u;
}

void cpulist_print(const uint8_t *map, unsigned cpus, char *text, size_t size)
{
	unsigned count = 0;
	size_t at = 0;

	for (unsigned cpu = 0; cpu < cpus; cpu++)
		count += has(map, cpu);
	if (!count || count == cpus) {
		snprintf(text, size, count ? "all" : "none");
		return;
	}
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		unsigned first = cpu;
		char piece[32];
		int n;

		if (!has(map, cpu))
			continue;
		while (cpu + 1 < cpus && has(map, cpu + 1))
			cpu++;
		n = first == cpu
			    ? snprintf(piece, sizeof(piece), "%s%u", at ? "," : "", cpu)
			    : snprintf(piece, sizeof(piece), "%s%u-%u", at ? "," : "", first, cpu);
		if (at + (size_t)n + sizeof(",...") > size) {
			snprintf(text + at, size - at, ",...");
			return;
		}
		memcpy(text + at, piece, (size_t)n + 1);
		at += (size_t)n;
	}
}
