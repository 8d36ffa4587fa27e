/*
 * domain.h - a domain's life: made, ended.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/** Where a saved domain comes from. */
struct create_stream {
	int fd;           /* saved_head_read() has read up to libxc's stream */
	const char *what; /* what messages call it */
	/* When its memory is there: until its devices may be used. Not 0 ends it. May be NULL. */
	int (*loaded)(void *arg, uint16_t domid, struct fault *fault);
	void *arg;
};

/** How long each step of a creation took. */
#define CREATE_STEPS 8
struct create_timing {
	struct {
		const char *name;
		uint64_t us;
	} step[CREATE_STEPS];
	unsigned steps;
};

struct create_options {
	bool paused;    /* do not let it run */
	bool menu;      /* a bootloader may ask the user at the terminal */
	unsigned quick; /* how often in a row it was restarted soon after its start */
	bool restart; /* -ECANCELED without the record of it, which ends with success (restart.h) */
	const struct create_stream *stream; /* NULL: a new one */
	const char *busy; /* what its record says, also afterwards; NULL: "create", then nothing */
	struct create_timing *timing; /* filled, or NULL */
};

/**
 * domain_create - make a domain of a planned config, wait for its backends and let it run.
 * @config: checked and completed by plan_domain()
 * @domid:  set on success
 *
 * On failure, or when a signal came (-EINTR), all that was made is undone. A process that is
 * killed in between leaves a record from which xsplitd undoes it.
 */
int domain_create(struct toolstack *ts, const struct domain_config *config,
		  const struct create_options *options, uint16_t *domid, struct fault *fault);

/**
 * domain_destroy - end a domain at once and remove all that it had: devices closed (at most
 * BACKEND_SECONDS), the domain, its device model, its nodes, its name. May be called for one
 * that is half gone, as often as one likes.
 */
int domain_destroy(struct toolstack *ts, uint16_t domid, struct fault *fault);

/**
 * domain_destroy_for_good - the same as a user's wish: a restart of the guest that has begun is
 * given up (restart.h). Return: also -EPERM for domain 0.
 */
int domain_destroy_for_good(struct toolstack *ts, uint16_t domid, struct fault *fault);

/**
 * domain_remove_to_restart - the same, and in the step in which its nodes go, the record comes of
 * which it is made again (restart.h): whoever is killed behind it loses nothing.
 * @config, @quick: what is to be made
 * Return: also -ECANCELED: somebody destroyed it meanwhile.
 */
int domain_remove_to_restart(struct toolstack *ts, uint16_t domid,
			     const struct domain_config *config, unsigned quick,
			     struct fault *fault);

/** domain_finish - let a domain run that has only that left (RECORD_UNPAUSE). */
int domain_finish(struct toolstack *ts, uint16_t domid, struct fault *fault);

/**
 * domain_soft_reset - let an HVM guest that shut down go on where it stood, in the memory it has:
 * of Xen, the XenStore and its devices it gets all anew, as if it had just been made. A kernel that
 * was started by the one before it (kexec) finds its machine so.
 * @config, @quick: what it is made of, how often in a row it ended soon
 * Return: 0, -ECANCELED (somebody destroyed it), or a negative errno: then it cannot go on; it has
 * still to be restarted or destroyed.
 */
int domain_soft_reset(struct toolstack *ts, uint16_t domid, const struct domain_config *config,
		      unsigned quick, struct fault *fault);
