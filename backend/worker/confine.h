/*
 * confine.h - what a program that is not ours may do when we execute it: qemu-nbd, qemu-img.
 *
 * It gets the files that are named and no others (Landlock), no network unless it needs one, an
 * unprivileged user, no capability but that of opening those files whoever owns them, no new
 * privileges, and none of the system calls that a program of its kind has no use for. What a kernel
 * cannot do is said in the log once, and the rest done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum confine_access {
	CONFINE_READ,
	CONFINE_WRITE,   /* and read */
	CONFINE_EXECUTE, /* and read */
};

/** A file, or a folder with all below it. */
struct confine_rule {
	const char *path; /* one that is not there is left out */
	enum confine_access access;
};

struct confine_options {
	const char *name; /* of the program, for the log */
	const char *user; /* NULL for nobody */
	bool network;
	const struct confine_rule *rules;
	size_t count;
	/** Whose user it becomes where there is no Landlock: then its own rights must do. */
	const char *owned;
};

/**
 * confine_enter - for the calling process, which then executes the program. It gets SIGTERM
 * when its parent dies.
 *
 * Return: 0, or a negative errno after it was logged: then the program must not be executed.
 */
int confine_enter(const struct confine_options *options);
