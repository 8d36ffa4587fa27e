/*
 * front_fake.h - a platform.h that a test scripts: pages, grants, events and a store in memory.
 *
 * Whatever the core takes is counted, so that a test can see that all of it came back.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

#include "frontend/core/platform.h"

#define FAKE_NODES   96
#define FAKE_WATCHES 8
#define FAKE_EVENTS  8
#define FAKE_GRANTS  8192

struct fake_node {
	char path[128], value[128];
};

struct fake_event {
	struct platform_event platform; /* first */
	unsigned notified;
	bool used;
};

struct fake {
	struct platform platform; /* first */
	struct fake_node node[FAKE_NODES];
	struct {
		struct platform_watch platform;
		char path[128];
		bool used;
	} watch[FAKE_WATCHES];
	struct fake_event event[FAKE_EVENTS];
	uint8_t *page[FAKE_GRANTS]; /* by grant reference; NULL: not granted */
	bool readonly[FAKE_GRANTS];
	uint32_t grants;        /* ever made */
	uint32_t pages_shared;  /* now */
	uint32_t pages_allowed; /* at once */
	bool revoke_fails;      /* the backend holds everything */
	bool store_fails;       /* reads are answered with -EIO */
	const char *failing;    /* the next .failures reads of a node of this name */
	unsigned failures;
	int failure;           /* are answered with this */
	unsigned conflicts;    /* so many transactions will fail with -EAGAIN */
	unsigned transactions; /* open now */
	unsigned allocations;  /* alive */
	unsigned logged;
	uint64_t now_ms;
};

/** fake_open - a zeroed, empty platform. */
void fake_open(struct fake *fake);

/** fake_set - write a node, as somebody else, and fire the watches on it. NULL removes it. */
void fake_set(struct fake *fake, const char *path, const char *value);

/** fake_put - the same, without firing. */
void fake_put(struct fake *fake, const char *path, const char *value);

/** fake_get - a node's value, "" if there is none. */
const char *fake_get(struct fake *fake, const char *path);

/** fake_number - a node that must hold a number. */
unsigned fake_number(struct fake *fake, const char *path);

/** fake_page - the page behind a grant reference that must be valid, for a backend to use. */
uint8_t *fake_page(struct fake *fake, uint32_t gref);

/** fake_fire - the backend notifies a port. Return: what the handler said. */
bool fake_fire(struct fake *fake, uint32_t port);

/** fake_notified - how often the port was notified since the last call. */
unsigned fake_notified(struct fake *fake, uint32_t port);

/** fake_empty - nothing that was taken is still there. */
void fake_empty(struct fake *fake);

/** fake_random - a number from 0 to @below - 1, of random(3). */
static inline unsigned fake_random(unsigned below)
{
	return (unsigned)random() % below;
}
