/*
 * string.h - memory and strings, as in C; string_begins is ours.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
char *strchr(const char *text, int c);
int strcmp(const char *left, const char *right);

/** string_begins - is @beginning how @text begins? */
bool string_begins(const char *text, const char *beginning);
