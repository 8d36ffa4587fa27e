/*
 * nearest.h - what the user may have meant.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>

/**
 * nearest_distance - how many characters must be inserted, removed, replaced or swapped with
 * their neighbour to make one word the other. Words above 31 characters count as far away.
 */
unsigned nearest_distance(const char *a, const char *b);

/** nearest_near - is a word of this distance worth a suggestion? */
int nearest_near(const char *word, unsigned distance);
