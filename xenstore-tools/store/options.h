/*
 * options.h - the command line of xsplit-xenstored(8).
 */
#pragma once

#include "xenstore-tools/store/quota.h"

struct options {
	const char *socket;   /* never NULL; from the command line, the environment or built in */
	const char *pid_file; /* NULL: none */
	int ready_fd;         /* -1: none */
	struct quota quota;
	char path[128]; /* what socket may point to */
};

/**
 * options_parse - read the command line and the environment.
 *
 * Return: 0; 1 when help or version was printed and the program is done; -EINVAL after a message.
 */
int options_parse(struct options *options, int argc, char *argv[]);
