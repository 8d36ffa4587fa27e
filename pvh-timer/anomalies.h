/*
 * anomalies.h - what should not happen with time and events, counted instead of printed.
 *
 * Each vcpu and every path may count at once. A guest reads the counters; a host may write
 * anomalies_print's lines to XenStore.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum anomaly {
	ANOMALY_TIME_BACKWARDS,   /* Xen's clock was behind what had been read before; clamped */
	ANOMALY_TSC_BACKWARDS,    /* a TSC before its own time stamp; counted as equal */
	ANOMALY_TIMER_EARLY,      /* fired before its deadline; armed again */
	ANOMALY_TIMER_PAST,       /* was set for a moment that had gone: fires at once */
	ANOMALY_TIMER_STRAY,      /* fired though it was not armed */
	ANOMALY_UPCALL_SPURIOUS,  /* an upcall with nothing pending */
	ANOMALY_EVENT_UNBOUND,    /* an event of a port that nobody bound */
	ANOMALY_EVENT_USELESS,    /* its handler found nothing to do */
	ANOMALY_EVENT_STORM,      /* a port was masked for a while */
	ANOMALY_EVENT_CONCURRENT, /* came on a second vcpu while its handler ran */
	ANOMALY_EVENT_RECOVERED,  /* a self-check found it pending with nobody told: lost, resent */
	ANOMALY_UNMASK_RACE,      /* became pending while it was unmasked */
	ANOMALY_BINDING_LOST,     /* a resume or self-check had to make it anew */
	ANOMALY_CLOCK_SWITCHED,   /* the policy chose another clock */
	ANOMALIES,
};

/** Lateness of timers: bucket i counts those less than 2^i microseconds late, the last the rest. */
#define ANOMALY_BUCKETS 20u

struct anomalies {
	uint64_t count[ANOMALIES];
	uint64_t late[ANOMALY_BUCKETS];
	uint64_t late_max; /* ns */
};

/** anomaly_note - count one. */
void anomaly_note(struct anomalies *anomalies, enum anomaly which);

/** anomaly_late - a timer's handler began @ns after its deadline. */
void anomaly_late(struct anomalies *anomalies, uint64_t ns);

/** anomaly_name - such as "time-backwards"; good as a node's name. */
const char *anomaly_name(enum anomaly which);

/**
 * anomalies_print - "name=count" for each that is not 0, then "late=<2us:N,..." , parted by blanks.
 * Return: the length without the NUL; what does not fit is cut.
 */
size_t anomalies_print(const struct anomalies *anomalies, char *text, size_t size);
