/*
 * creation.h - the steps in which a domain comes to be: shared by who makes a new one (create.c)
 * and who makes an old one anew (soft_reset.c).
 */
#pragma once

#include "toolstack/domain/boot.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/layout.h"

struct creation {
	struct toolstack *ts;
	const struct domain_config *config;
	const struct create_options *options;
	struct boot boot;
	struct layout layout;
	int model_fd; /* the saved state of its device model, or -1 */
	char *tty;    /* where its console is read already, or NULL */
	struct nodes nodes;
	char uuid[UUID_STR_LEN];
	bool made;  /* Xen has it */
	bool reset; /* Xen has had it before */
	struct fault *fault;
};

struct creation_step {
	const char *name;
	int (*run)(struct creation *c);
};

/** creation_steps - one after the other up to one without a name. Return: 0, or what one says. */
int creation_steps(struct creation *c, const struct creation_step *steps);

/**
 * creation_store - one transaction: nothing that was there of this number is there any more, and
 * all nodes are.
 */
int creation_store(struct creation *c);

/** creation_introduce - let the XenStore serve it. */
int creation_introduce(struct creation *c);

/** creation_devices - its device model, QEMU, backends and scripts are ready for it. */
int creation_devices(struct creation *c);

/** creation_start - let it run, unless the options say otherwise. */
int creation_start(struct creation *c);
