/*
 * outline.h - what making a planned domain would come to: the calls and the nodes, none of them
 * made.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/nodes.h"
#include "toolstack/toolstack.h"
#include "toolstack/xen/outline.h"

struct outline {
	struct xen_step step[XEN_STEPS_MAX]; /* of Xen's libraries, in their order */
	size_t steps;
	struct nodes nodes; /* written in one transaction, before the store is told of the domain */
};

/** The id in an outline's nodes: outline_text() puts an N in its place. */
#define OUTLINE_DOMID 32751

/**
 * outline_make - of a config that plan_domain() has completed.
 * @outline: for outline_free(), in case of an error too
 *
 * Return: 0 or a negative errno with the fault set.
 */
int outline_make(struct toolstack *ts, const struct domain_config *config, struct outline *outline,
		 struct fault *fault);
void outline_free(struct outline *outline);

/** outline_text - a path or value with N for the number, for free(3); NULL without memory. */
char *outline_text(const char *text);
