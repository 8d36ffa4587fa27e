/*
 * disk.h - the domain's first disk through frontend/core's blkfront, one request at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** disk_open - find it and connect. Return: 0, -ENODEV (there is none), -ETIMEDOUT, ... */
int disk_open(void);

/** disk_size - bytes. */
uint64_t disk_size(void);

/** disk_read, disk_write - @length bytes at @offset, waited for. Return: 0 or a negative errno. */
int disk_read(uint64_t offset, void *data, size_t length);
int disk_write(uint64_t offset, void *data, size_t length);

/** disk_begin_read - ask for @length bytes at @offset, not waited for. disk_end_read - wait for
 * them: meanwhile nothing else may be asked for. Return: 0 or a negative errno. */
int disk_begin_read(uint64_t offset, void *data, size_t length);
int disk_end_read(void);

/** disk_resume - the domain was restored: begin to connect again, before store_watches is called.
 * Return: as disk_open. What was asked for and not answered is asked for again. */
int disk_resume(void);

/** disk_close - in order. */
void disk_close(void);
