/*
 * rundir.h - where a program keeps its sockets and process ids while it runs.
 *
 * $XSPLIT_RUNDIR, or /run/xsplit.
 */
#pragma once

#include <stddef.h>

/** rundir - the directory; owned by the environment or static, never freed. */
const char *rundir(void);

/**
 * rundir_make - create it, and the directories above and below it that are missing, mode 0755.
 * @below: a relative path below the directory, or NULL
 *
 * Return: 0 or a negative errno.
 */
int rundir_make(const char *below);

/**
 * rundir_path - "RUNDIR/FORMAT..." into @path of @size bytes.
 * Return: 0 or -ENAMETOOLONG.
 */
int rundir_path(char *path, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
