/*
 * rename.h - a domain gets another name.
 */
#pragma once

#include "toolstack/nodes.h"
#include "toolstack/toolstack.h"

/**
 * domain_rename - give a domain a new name, in one transaction: its own nodes, the index of names
 * and the config that is kept. Return: 0, -EINVAL (no fit name), -EEXIST (another domain has it),
 * -ENOENT, or what the store says.
 */
int domain_rename(struct toolstack *ts, uint16_t domid, const char *name, struct fault *fault);

/**
 * rename_follow - when another toolstack renamed a domain of ours, take the name into the index and
 * the config that is kept; not while somebody works on the domain.
 * Return: 1 when it did, 0, or a negative errno.
 */
int rename_follow(struct toolstack *ts, uint16_t domid);

/**
 * domain_set_aside - keep an ended domain for its owner to look at, and let its name, its UUID and
 * its devices go to another: it is called NAME-YYYYMMDDTHHMMSSZ from now on, as xl does for
 * rename-restart.
 * @pending: nodes that are written in the same step
 */
int domain_set_aside(struct toolstack *ts, uint16_t domid, const struct nodes *pending,
		     struct fault *fault);
