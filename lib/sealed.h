/*
 * sealed.h - memory to be shared by its descriptor with a process that is not trusted.
 */
#pragma once

#include <stddef.h>

/**
 * sealed_memory - a memfd of @size zeros that nobody can make longer or shorter, so no mapping of
 * it can fault.
 * @name: for /proc; see memfd_create(2)
 *
 * Return: a descriptor, close-on-exec, or a negative errno.
 */
int sealed_memory(const char *name, size_t size);
