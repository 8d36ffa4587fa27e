/*
 * program.h - where a program is that somebody named.
 */
#pragma once

/**
 * program_find - an absolute path; a path with a slash, from the working directory; or a bare
 * name, beside this program's own file and then in $PATH.
 * @path: on success the absolute path, for free(3)
 *
 * Return: 0, -ENOENT, -EACCES (a file that cannot be executed, or no file), -ENOMEM.
 */
int program_find(const char *name, char **path);
