/*
 * store_model.h - the store as simply as it can be said: a list of paths. Its answers are those
 * that the real one must give.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MODEL_NODES 64

struct model_node {
	char path[32], value[16];
	char letter;    /* what others may do: n, r, w, b */
	unsigned owner; /* 0 or 1 */
	unsigned order; /* of coming */
};

struct model {
	struct model_node node[MODEL_NODES];
	unsigned count, order;
};

/** "/" alone, dom0's. */
void model_init(struct model *model);

/**
 * model_ask - answer a request as say() would.
 * @guest: domain 1 asks, otherwise dom0
 * @body:  "path|" or "path|value"
 * Return: the reply, valid until the next.
 */
const char *model_ask(struct model *model, bool guest, uint32_t type, const char *body);
