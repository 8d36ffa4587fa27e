/*
 * peer.h - the other end of a migration: a command's standard input and output, or our own.
 *
 * Lines of words in both directions; between them, from the sender, the saved domain.
 */
#pragma once

#include <sys/types.h>

#include "toolstack/toolstack.h"

/** The longest line. */
#define PEER_LINE 1024

/** end_ms unless somebody changes it: a receiver removes what it made first. */
#define PEER_END_MS 30000

struct peer {
	const char *name; /* what messages call it */
	int in, out;      /* from it, to it */
	pid_t pid;        /* of its command, or 0 */
	unsigned end_ms;  /* how long that may take to end when it was hung up on */
};

/**
 * peer_start - run "sh -c 'exec SHELL HOST xsplit migrate-receive WORD...'"; with an empty @shell
 * "exec HOST WORD...".
 * @words: up to a NULL
 */
int peer_start(struct peer *peer, const char *shell, const char *host, const char *const *words,
	       struct fault *fault);

/** peer_end - hang up, and wait for its command; one that does not end is killed. */
void peer_end(struct peer *peer);

/** peer_say - a line. Return: 0 or -errno with the fault set. */
int peer_say(struct peer *peer, const char *line, struct fault *fault);

/**
 * peer_hear - the next line, without its newline.
 * Return: 0; -ECONNRESET (it hung up), -EPROTO (no line), -EINTR (a signal, ts->interrupt); the
 * fault is set.
 */
int peer_hear(struct toolstack *ts, struct peer *peer, char line[PEER_LINE], struct fault *fault);

/**
 * peer_expect - hear this word.
 * Return: 0; -EREMOTEIO (it said "failed WORDS": the fault has them); as peer_hear().
 */
int peer_expect(struct toolstack *ts, struct peer *peer, const char *word, struct fault *fault);
