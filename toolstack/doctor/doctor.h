/*
 * doctor.h - what dead programs left behind: found, named, removed.
 *
 * Every look compares the XenStore, the processes, the interfaces, the loop devices and libxl's
 * files of this host with the domains that Xen has. What somebody alive works on is left to him.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "toolstack/toolstack.h"

struct doctor;

/** Something that should not be there. */
struct finding {
	char words[400]; /* what, in one line */
	int domid;       /* that it is of, or -1 */
	/** repair - put it right. Return: 0 or a negative errno with the fault set. */
	int (*repair)(struct doctor *doctor, const struct finding *finding, struct fault *fault);
	char object[512]; /* what repair works on: a path, a name, a UUID */
	pid_t pid;
};

struct findings {
	struct finding *finding;
	size_t count;
};

struct doctor {
	struct toolstack *ts;
	struct xen_domain *live; /* at the beginning of the look */
	size_t lives;
	struct findings found;
};

/**
 * doctor_look - look once at everything.
 * @found: what is wrong, for free(3)
 */
int doctor_look(struct toolstack *ts, struct findings *found, struct fault *fault);

/**
 * doctor_examine - look twice, some time apart: only what is there both times is wrong, for others
 * may be at work. Arguments and result as of doctor_look().
 */
int doctor_examine(struct toolstack *ts, struct findings *found, struct fault *fault);

/** doctor_repair - put one finding right. Return: 0 or a negative errno with the fault set. */
int doctor_repair(struct toolstack *ts, const struct finding *finding, struct fault *fault);

/* --- inside doctor/ --- */

/** doctor_add - note a finding; words as for printf(3). Return: it, or NULL without memory. */
struct finding *doctor_add(struct doctor *doctor, int domid,
			   int (*repair)(struct doctor *doctor, const struct finding *finding,
					 struct fault *fault),
			   const char *object, const char *words, ...)
	__attribute__((format(printf, 5, 6)));

/** doctor_lives - has Xen this domain? */
bool doctor_lives(const struct doctor *doctor, unsigned domid);

/** The looks; each adds what it finds. Return: 0 or a negative errno with the fault set. */
int doctor_domains(struct doctor *doctor, struct fault *fault);
int doctor_nodes(struct doctor *doctor, struct fault *fault);
int doctor_index(struct doctor *doctor, struct fault *fault);
int doctor_host(struct doctor *doctor, struct fault *fault);
int doctor_files(struct doctor *doctor, struct fault *fault);
