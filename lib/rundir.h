/*
 * rundir.h - where a program keeps its sockets and process ids while it runs.
 *
 * $XSPLIT_RUNDIR, or /run/xsplit.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

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

/**
 * rundir_hold - be the only process that holds RUNDIR/@name, until it ends or becomes another
 * program.
 * @holder: who holds it, on -EBUSY; 0 when that cannot be told
 *
 * One that is just ending is waited for, at most two seconds.
 * Return: 0, -EBUSY, or another negative errno.
 */
int rundir_hold(const char *name, pid_t *holder);
