/*
 * block-cases.h - what block-frontend's cases share, and those that are not in its own file.
 */
#pragma once

#include "tests/embedded/block-front.h"

#define CONNECTED (1u << XenbusStateConnected)
#define CLOSED    (1u << XenbusStateClosed)

/** no - note why a case fails. Return: false. */
bool no(const char *reason);

/** alive - write a page of @fill and read it back. */
bool alive(struct front *front, uint8_t fill);

/** connected - connect, and be alive. */
bool connected(struct front *front, const struct front_options *options, uint8_t fill);

/** block-hostile.c: what only a hostile frontend does. */
bool case_bad_nodes(struct front *front);
bool case_bad_rings(struct front *front);
bool case_bad_requests(struct front *front);
bool case_overflow(struct front *front);
bool case_storm(struct front *front);
bool case_state_storm(struct front *front);
bool case_garbage(struct front *front);
bool case_states(struct front *front);

/** block-endure.c */
bool case_endure(struct front *front);

/** block-hoard.c */
bool case_hoard(struct front *front);
