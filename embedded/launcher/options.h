/*
 * options.h - what the user wants of xsplit-embedded.
 */
#pragma once

#include <stdbool.h>

/** What xsplit-embedded itself ends with when it could not do its part. */
#define LAUNCHER_FAILED 125

/** The daemons of a host, in the order in which they start. */
enum daemon_kind { DAEMON_HOST, DAEMON_STORE, DAEMON_BACKEND, DAEMON_TOOLSTACK, DAEMON_COUNT };

/** daemon_names - the program beside ours that each is. */
extern const char *const daemon_names[DAEMON_COUNT];

struct options {
	const char *keep; /* the host's directory when it shall stay, or NULL */
	bool without[DAEMON_COUNT];
	char **command; /* NULL-terminated; in a host, or in domain domid */
	bool exec;      /* run @command in a guest of the host that we are in */
	unsigned int domid;
};

/**
 * options_parse - read the command line.
 * Does not return when --help or --version was asked for, or the line is wrong: that is said.
 */
void options_parse(struct options *options, int argc, char **argv);
