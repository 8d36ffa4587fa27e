/*
 * record.h - what the toolstack itself remembers, in /tool/xsplit.
 *
 *   domain/N/busy        who makes or removes the domain: "PID START WHAT"; while that process
 * lives nobody else touches the domain, and when it is dead the work is half done
 *   domain/N/config/0..  the whole config (domain_config_print), in pieces that a node can hold
 *   domain/N/quick       how often in a row it ended soon after its start and was restarted
 *   domain/N/started     when it was made, seconds since 1970
 *   domain/N/end         the end that xsplitd has seen to (list_reason), so that it does it once
 *   creating/UUID        who is about to make a domain of this UUID: "PID START create"
 *   restart/UUID/...     a domain that was removed to be made again (restart.h)
 *   name/NAME            the domain of that name (name.h)
 *   index/...            who has which image and which address (device/index.h)
 *   received/UUID        it was migrated here and let run, whatever became of it since (migrate.h)
 *   auto/FILE            this config of the autostart's directory has been seen to
 *   autostart            who starts them, or "done"
 *
 * So that a process may be killed at any step: what it began is here before it begins it.
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

/** record_text - compose the nodes @dir/0.. that keep a long text. */
void record_text(struct nodes *nodes, const char *dir, const char *text);

/** record_text_read - such a text as it was written: for free(3), "" when there is none. */
char *record_text_read(struct toolstack *ts, xs_transaction_t t, const char *dir);

/** record_config - compose the nodes that keep a config. @text: of domain_config_print() */
void record_config(struct nodes *nodes, uint16_t domid, const char *text);

/**
 * record_config_replace - write another config in place of the kept one. Return: 0, -EINVAL (it
 * does not read as a config), or -errno.
 */
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

/** What a process does with a domain. */
#define RECORD_CREATE  "create"
#define RECORD_DESTROY "destroy"
/** All is made; only to be let run. */
#define RECORD_UNPAUSE "unpause"
#define RECORD_RESTART "restart"

/** Who is about to make a domain, by its UUID as text. */
#define RECORD_CREATING "/tool/xsplit/creating/%s"

/** record_worker_text - "PID START WHAT" of this process. */
void record_worker_text(const char *what, char text[64]);

/** record_busy - say that this process now works on the domain. @what: RECORD_... */
int record_busy(struct toolstack *ts, uint16_t domid, const char *what);

/**
 * record_free - does nobody work on the domain? In transaction @t, so that nobody begins before
 * its end. Return: 0, or -EBUSY with the fault set: somebody does, or died half way.
 */
int record_free(struct toolstack *ts, xs_transaction_t t, uint16_t domid, struct fault *fault);

/**
 * record_take - record_busy() unless somebody else works on the domain. Waits some seconds for
 * xsplitd to see to what a dead process began. Return: as record_free(), or what the store says.
 */
int record_take(struct toolstack *ts, uint16_t domid, const char *what, struct fault *fault);

/** record_idle - say that it does no more. */
int record_idle(struct toolstack *ts, uint16_t domid);

/** record_busy_is - is the work that is recorded this one? */
bool record_busy_is(struct toolstack *ts, uint16_t domid, const char *what);

/** record_busy_own - does it say that this process does this work? */
bool record_busy_own(struct toolstack *ts, xs_transaction_t t, uint16_t domid, const char *what);

/**
 * record_end_is - has xsplitd seen to the end that the domain has come to? If it did, and the
 * domain went on since, as another toolstack lets one go on, its next end is another.
 */
bool record_end_is(struct toolstack *ts, const struct xen_domain *domain);

enum record_worker { WORKER_NONE, WORKER_ALIVE, WORKER_DEAD };

/**
 * record_worker - does somebody work on the domain?
 * @pid: set with WORKER_ALIVE
 */
enum record_worker record_worker(struct toolstack *ts, uint16_t domid, pid_t *pid);

/** record_worker_at - the same of any node that record_worker_text() is written to. */
enum record_worker record_worker_at(struct toolstack *ts, const char *path, pid_t *pid);
