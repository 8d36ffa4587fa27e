/*
 * restart.h - the record of a domain that was removed to be made again.
 *
 *   /tool/xsplit/restart/UUID/busy       who makes it: as in record.h
 *   /tool/xsplit/restart/UUID/config/..  of which it is made
 *   /tool/xsplit/restart/UUID/quick      how often in a row it ended soon after its start
 *   /tool/xsplit/restart/UUID/tries      how often it could not be made
 *
 * It comes in the step in which the domain's own record goes, and goes in the one that finishes the
 * new domain: whoever is killed in between loses nothing. Who destroys the guest removes it, and
 * whoever makes the new one then gives up (-ECANCELED). @uuid is text everywhere.
 */
#pragma once

#include <stdbool.h>
#include <xenstore.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/nodes.h"
#include "toolstack/toolstack.h"

/** Where one is, made from the UUID. */
#define RESTART_PATH "/tool/xsplit/restart/%s"

/** restart_record - compose it. @text: of domain_config_print() */
void restart_record(struct nodes *nodes, const char *uuid, const char *text, unsigned quick);

/** restart_wanted - is there one? */
bool restart_wanted(struct xs_handle *xs, xs_transaction_t t, const char *uuid);

/** restart_take - say that this process makes it. Return: 0, -ECANCELED, or what the store says. */
int restart_take(struct toolstack *ts, const char *uuid);

/** restart_read - its config and how often it ended quickly. As record_config_read(). */
int restart_read(struct toolstack *ts, const char *uuid, struct domain_config *config,
		 unsigned *quick, struct fault *fault);

/**
 * restart_again - count a failure. Return: 0 (it may be tried once more), -ETIMEDOUT (it was, often
 * enough), -ECANCELED, or what the store says.
 */
int restart_again(struct toolstack *ts, const char *uuid);

/** restart_forget - nobody shall make it. Return: 0, also when there is none, or what the store
 * says. */
int restart_forget(struct toolstack *ts, const char *uuid);

/**
 * restart_forget_name - the same by the guest's name, and wait for whoever just makes it to give
 * up. Return: 0, -ENOENT, or what the store says.
 */
int restart_forget_name(struct toolstack *ts, const char *name);
