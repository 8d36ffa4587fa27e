/*
 * inject.h - faults that a disk is to have, for tests: rules as text and as values. Pure.
 *
 * Rules have spaces between them; a rule is KEY=VALUE, with commas between them. The first one that
 * fits an operation counts. xsplit-block-inject(1) has the keys.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backend/block/engine.h"

#define INJECT_RULES_MAX 16u

/** A delay without an end. */
#define INJECT_FOREVER UINT32_MAX

/** Not torn. */
#define INJECT_WHOLE UINT32_MAX

struct inject_rule {
	uint64_t start, end;   /* bytes of the disk */
	uint64_t after, count; /* count 0: without end */
	uint32_t delay_ms;
	uint32_t torn; /* bytes, a multiple of 512 */
	uint32_t percent;
	int32_t rc;    /* 0: as the storage says */
	uint32_t ops;  /* bits: 1 << enum engine_op */
	uint32_t ends; /* 0: rc is not known yet, only inside the parser */
};

struct inject_rules {
	uint64_t count; /* of 8 bytes: nothing in here is padding */
	struct inject_rule rule[INJECT_RULES_MAX];
};

/**
 * inject_parse - from text; "" is no rules.
 * @why: on failure which rule, what is wrong with it and what would be right
 * Return: 0, or -EINVAL and *@rules is untouched.
 */
int inject_parse(const char *text, struct inject_rules *rules, char *why, size_t size);

/**
 * inject_judge - which rule is for this operation?
 * @seen:    for each rule, how many it has fitted so far; zeros at first
 * @percent: by chance, 0 to 99
 * Return: the rule, or NULL.
 */
const struct inject_rule *inject_judge(const struct inject_rules *rules,
				       uint64_t seen[INJECT_RULES_MAX], enum engine_op op,
				       uint64_t offset, uint64_t length, unsigned percent);
