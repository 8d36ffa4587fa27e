/*
 * property.h - inside of the property test: agents in several domains, and a model of what they
 * did.
 *
 * Agents do one thing at a time, so the model knows what each must answer. Hammers are agents
 * beside the model: they map and copy from the same pages all the time, until they are killed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/embedded/agent.h"

#define DOMAINS 3
#define AGENTS  5
#define NOBODY  31000u

struct lab {
	uint64_t random;
	uint32_t step;
	uint32_t domid[DOMAINS];
	struct agent agent[AGENTS];
};

extern struct lab lab;

/** below - a random number from 0 to @n - 1. */
uint32_t below(uint32_t n);

/** wrong - print what an agent answered and what the model says, and give up. */
_Noreturn void wrong(const char *what, int64_t got, int64_t wanted);

/** must - wrong(), unless both are equal. */
void must(const char *what, int64_t got, int64_t wanted);

/** barrier - when it returns, the host has seen every death of before. */
void barrier(void);

/* Each does one random thing with an agent, and checks what comes of it. */
void grants_step(uint32_t agent);
void events_step(uint32_t agent);

/** grants_agent_died, events_agent_died - carry its death out in the model. */
void grants_agent_died(uint32_t agent);
void events_agent_died(uint32_t agent);

/**
 * grants_hammer - pages of domain 0 that agents of @domain may use, for a hammer: domid, ref by
 * turns. They are not revoked until grants_unhammer(). Return: how many pages.
 */
uint32_t grants_hammer(uint32_t domain, uint32_t *list, uint32_t most);
void grants_unhammer(void);
