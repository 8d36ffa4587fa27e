/*
 * record.h - what the toolstack itself remembers of a domain, in /tool/xsplit/domain/N.
 *
 *   busy          who makes or removes the domain: "PID START WHAT"; while that process lives
 * nobody else touches the domain, and when it is dead the work is half done config/0..    the whole
 * config (domain_config_print), cut into pieces that a node can hold quick         how often in a
 * row it ended soon after its start and was restarted started       when it was unpaused, seconds
 * since 1970 end           what xsplitd has done about its end, so that it does it once
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/nodes.h"
#include "toolstack/toolstack.h"

/** record_path - "/tool/xsplit/domain/N". */
#define RECORD_PATH "/tool/xsplit/domain/%u"

/** record_config - compose the nodes that keep a config. @text: of domain_config_print() */
void record_config(struct nodes *nodes, uint16_t domid, const char *text);

/** record_config_replace - write another config in place of the kept one. Return: 0 or -errno. */
int record_config_replace(struct toolstack *ts, xs_transaction_t t, uint16_t domid,
			  const char *text);

/** record_config_text - the kept config as it was written: for free(3), "" when none is kept. */
char *record_config_text(struct toolstack *ts, xs_transaction_t t, uint16_t domid);

/**
 * record_config_read - the config that a domain was made with.
 * Return: 0, -ENOENT (it is none of ours), or what domain_config_parse() says.
 */
int record_config_read(struct toolstack *ts, xs_transaction_t t, uint16_t domid,
		       struct domain_config *config, struct fault *fault);

/** record_busy - say that this process now works on the domain. @what: "create", "destroy" */
int record_busy(struct toolstack *ts, uint16_t domid, const char *what);

/** record_idle - say that it does no more. */
int record_idle(struct toolstack *ts, uint16_t domid);

enum record_worker { WORKER_NONE, WORKER_ALIVE, WORKER_DEAD };

/**
 * record_worker - does somebody work on the domain?
 * @pid: set with WORKER_ALIVE
 */
enum record_worker record_worker(struct toolstack *ts, uint16_t domid, pid_t *pid);
