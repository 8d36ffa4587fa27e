/*
 * io.h - all of it or an error: reads and writes on descriptors that block.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** io_read - exactly @size bytes. Return: 0, -ENODATA (the end came first), or -errno. */
int io_read(int fd, void *data, size_t size);

/** io_write - exactly @size bytes. Return: 0 or -errno. */
int io_write(int fd, const void *data, size_t size);

/** io_copy - exactly @size bytes from one to the other. Return: as above. */
int io_copy(int from, int to, uint64_t size);
