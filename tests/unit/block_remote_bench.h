/*
 * block_remote_bench.h - the NBD client with an nbdkit for each connection, for its tests.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "backend/block/engine.h"
#include "backend/block/remote.h"

/** Of the disk, bytes. */
#define SIZE (1u << 20)

extern struct event_base *base;
extern struct remote *remote;
extern struct engine *engine;
extern char path[64]; /* of the file that all servers have */
extern int fd;
extern unsigned done_calls, wanted[REMOTE_CONNECTIONS_MAX];
extern int last_rc;
extern pid_t server[REMOTE_CONNECTIONS_MAX];
extern uint8_t *buffer; /* SIZE bytes */

/** set_up, tear_down - of each test. */
void set_up(void);
void tear_down(void);

/** client_make - the client, which asks for so many connections. */
void client_make(unsigned connections);

/** connect_to - nbdkit on one end of a pair of sockets, the client on the other. @words: its
 * command line */
void connect_to(unsigned n, const char *const *words);

/** EVAL_SIZE - get_size of nbdkit's eval, which also says where its folder is: one that is killed
 * leaves it in /tmp, for tear_down to remove. */
#define EVAL_SIZE(size) ("get_size=echo $tmpdir >>$TMPDIR/evals; echo " size)

/** serve - the same for the file. */
void serve(unsigned n, const char *filter, const char *argument);
void server_kill(unsigned n);

/** on_done - of an operation. */
void on_done(struct engine_io *io, int rc);

/** finish - submit, and wait for so many operations. @rc: that of starting them. Return: the last
 * one's. */
int finish(int rc, unsigned operations);

void wait_wanted(unsigned n, unsigned times);
void wait_ready(unsigned connections);
