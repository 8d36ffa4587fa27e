/*
 * export.h - what an NBD server says about an export, and whether a disk can be made of it.
 *
 * Pure. What it says is not to be trusted, nor is the process that has read it. The rules are those
 * of NBD's proto.md, "Block size constraints".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct export_info {
	uint64_t size;      /* bytes */
	uint32_t block_min; /* bytes that a request has to be a multiple of; 1: not said */
	uint32_t block_preferred;
	uint32_t block_max; /* bytes of a request at most; 0: not said */
	bool read_only, can_trim, multi_conn;
};

/**
 * export_check - can a disk be made of it?
 * @read_only: the disk is
 * @why: gets what is wrong and what to do, for the user, when it can not
 *
 * Return: 0, -EPROTO (it cannot be what it says), -ENOMEDIUM (it is empty), -EROFS, or -EOPNOTSUPP
 * (its blocks are none that we can write).
 */
int export_check(const struct export_info *info, bool read_only, char *why, size_t room);

/** export_request_max - the longest request of whole pages and blocks that it takes, bytes; 0: it
 * has not said. @info: checked */
uint32_t export_request_max(const struct export_info *info);
