#include "pvh-timer/anomalies.h"

#include "pvh-timer/atomic.h"

void anomaly_note(struct anomalies *anomalies, enum anomaly which)
{
	atomic_count(&anomalies->count[which], 1);
}

void anomaly_late(struct anomalies *anomalies, uint64_t ns)
{
	uint64_t us = ns / 1000, max = atomic_counted(&anomalies->late_max);
	unsigned bucket = us ? 64 - (unsigned)__builtin_clzll(us) : 0;

	if (bucket >= ANOMALY_BUCKETS)
		bucket = ANOMALY_BUCKETS - 1;
	atomic_count(&anomalies->late[bucket], 1);
	while (ns > max && !__atomic_compare_exchange_n(&anomalies->late_max, &max, ns, false,
							__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

const char *anomaly_name(enum anomaly which)
{
	static const char *const names[ANOMALIES] = {
		[ANOMALY_TIME_BACKWARDS] = "time-backwards",
		[ANOMALY_TSC_BACKWARDS] = "tsc-backwards",
		[ANOMALY_TIMER_EARLY] = "timer-early",
		[ANOMALY_TIMER_PAST] = "timer-past",
		[ANOMALY_TIMER_STRAY] = "timer-stray",
		[ANOMALY_UPCALL_SPURIOUS] = "upcall-spurious",
		[ANOMALY_EVENT_UNBOUND] = "event-unbound",
		[ANOMALY_EVENT_USELESS] = "event-useless",
		[ANOMALY_EVENT_STORM] = "event-storm",
		[ANOMALY_EVENT_CONCURRENT] = "event-concurrent",
		[ANOMALY_EVENT_RECOVERED] = "event-recovered",
		[ANOMALY_UNMASK_RACE] = "unmask-race",
		[ANOMALY_BINDING_LOST] = "binding-lost",
		[ANOMALY_CLOCK_SWITCHED] = "clock-switched",
	};

	return which < ANOMALIES ? names[which] : "unknown";
}

struct line {
	char *text;
	size_t size, length;
};

static void add(struct line *line, const char *words)
{
	for (; *words && line->length + 1 < line->size; words++)
		line->text[line->length++] = *words;
}

static void add_number(struct line *line, uint64_t number)
{
	char digits[21];
	unsigned at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	add(line, digits + at);
}

static void add_late(struct line *line, const struct anomalies *anomalies)
{
	const char *before = " late=";

	for (unsigned i = 0; i < ANOMALY_BUCKETS; i++) {
		uint64_t count = atomic_counted(&anomalies->late[i]);

		if (!count)
			continue;
		add(line, before);
		before = ",";
		add(line, i == ANOMALY_BUCKETS - 1 ? ">" : "<");
		add_number(line, UINT64_C(1) << (i == ANOMALY_BUCKETS - 1 ? i - 1 : i));
		add(line, "us:");
		add_number(line, count);
	}
}

size_t anomalies_print(const struct anomalies *anomalies, char *text, size_t size)
{
	struct line line = {text, size, 0};

	if (!size)
		return 0;
	for (unsigned i = 0; i < ANOMALIES; i++) {
		uint64_t count = atomic_counted(&anomalies->count[i]);

		if (!count)
			continue;
		if (line.length)
			add(&line, " ");
		add(&line, anomaly_name((enum anomaly)i));
		add(&line, "=");
		add_number(&line, count);
	}
	add_late(&line, anomalies);
	text[line.length] = '\0';
	return line.length;
}
