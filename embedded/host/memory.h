/*
 * memory.h - files in memory that the daemon shares with processes.
 */
#pragma once

#include <stddef.h>

/**
 * memory_file - an empty file of @size bytes that nobody can make longer or shorter, so no mapping
 * of it can ever fault. Return: a descriptor, close-on-exec, or a negative errno.
 */
int memory_file(const char *name, size_t size);
