/*
 * quota.h - how much of the store one guest may use. Defaults are those of C xenstored 4.17.
 *
 * Quotas bind guests; dom0 and the sockets are free. 0 switches a quota off.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quota {
	uint32_t nodes;             /* owned by the guest */
	uint32_t watches;           /* registered; one more than this is possible, as in C */
	uint32_t transactions;      /* open; likewise */
	uint32_t transaction_nodes; /* touched in one transaction */
	uint32_t node_size;         /* bytes, as node_size() counts them */
	uint32_t node_permissions;  /* entries */
	uint32_t path_max;          /* bytes after "/local/domain/N/"; binds everybody */
	uint32_t outstanding;       /* replies not read, and requests whose events are not read */
	uint32_t memory;            /* bytes of nodes, watches, transactions and unread messages */
};

/** quota_default - what holds without options. */
struct quota quota_default(void);

/**
 * quota_set - change one.
 * @name: as in the struct, with '-' for '_'
 *
 * Return: 0, -ENOENT (no such quota), -EINVAL (no number, or a path-max that is 0 or above 3072).
 */
int quota_set(struct quota *quota, const char *name, const char *value);

/** quota_name - the name of the @index-th quota, or NULL behind the last; @value gets its value. */
const char *quota_name(const struct quota *quota, size_t index, uint32_t *value);

/** quota_over - does @used exceed @limit? A limit of 0 is never exceeded. */
static inline bool quota_over(int64_t used, uint32_t limit)
{
	return limit && used > (int64_t)limit;
}
