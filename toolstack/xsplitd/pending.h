/*
 * pending.h - domains that are not there yet: restarts that are recorded, creations that are
 * announced, by their UUIDs.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/xsplitd/reap.h"

/**
 * pending_start - make the domain of a recorded restart, and forget the record when it is made or
 * can never be.
 * @quick: how often it ended soon after its start
 * @was:   what the log calls the one before it
 * Return: 0 or a negative errno, which is logged.
 */
int pending_start(struct toolstack *ts, struct domain_config *config, unsigned quick,
		  const char *was);

/** pending_restart_needed - reap_needed() of a restart that is recorded. */
enum reap_need pending_restart_needed(struct toolstack *ts, const char *uuid, pid_t *worker);

/** pending_creation_needed - the same of an announced creation; REAP_NOW: its maker died. */
enum reap_need pending_creation_needed(struct toolstack *ts, const char *uuid, pid_t *worker);

/**
 * pending_restart - make the domain of a recorded restart, and forget the record when that fails
 * for good. Return: 0 or a negative errno, which is logged.
 */
int pending_restart(struct toolstack *ts, const char *uuid);

/** pending_creation - destroy the empty domain that a dead maker may have left. As the former. */
int pending_creation(struct toolstack *ts, const char *uuid);
