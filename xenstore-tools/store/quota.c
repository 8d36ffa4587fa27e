#include "xenstore-tools/store/quota.h"

#include <errno.h>
#include <string.h>

#include "lib/number.h"
#include "xenstore-tools/store/path.h"

static const struct {
	const char *name;
	size_t offset;
	uint32_t value;
} quotas[] = {
	{"nodes", offsetof(struct quota, nodes), 1000},
	{"watches", offsetof(struct quota, watches), 128},
	{"transactions", offsetof(struct quota, transactions), 10},
	{"transaction-nodes", offsetof(struct quota, transaction_nodes), 1024},
	{"node-size", offsetof(struct quota, node_size), 2048},
	{"node-permissions", offsetof(struct quota, node_permissions), 5},
	{"path-max", offsetof(struct quota, path_max), PATH_MAX_DEFAULT},
	{"outstanding", offsetof(struct quota, outstanding), 20},
	{"memory", offsetof(struct quota, memory), 2560 * 1024},
};

#define QUOTAS (sizeof(quotas) / sizeof(quotas[0]))

struct quota quota_default(void)
{
	struct quota quota = {0};

	for (size_t i = 0; i < QUOTAS; i++)
		*(uint32_t *)((char *)&quota + quotas[i].offset) = quotas[i].value;
	return quota;
}

int quota_set(struct quota *quota, const char *name, const char *value)
{
	uint32_t number;

	for (size_t i = 0; i < QUOTAS; i++) {
		if (strcmp(name, quotas[i].name) != 0)
			continue;
		if (number_parse_u32(value, &number))
			return -EINVAL;
		if (quotas[i].offset == offsetof(struct quota, path_max) &&
		    (!number || number > PATH_ABSOLUTE_MAX))
			return -EINVAL;
		*(uint32_t *)((char *)quota + quotas[i].offset) = number;
		return 0;
	}
	return -ENOENT;
}

const char *quota_name(const struct quota *quota, size_t index, uint32_t *value)
{
	if (index >= QUOTAS)
		return NULL;
	*value = *(const uint32_t *)((const char *)quota + quotas[index].offset);
	return quotas[index].name;
}
