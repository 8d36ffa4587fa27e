/*
 * words.h - a guest's command line as its program's arguments.
 */
#pragma once

#include <stddef.h>

/**
 * words_split - split a line as a shell does, with quotes and backslashes, but expand nothing.
 * @text:  room for @size bytes; gets the words, each with its NUL
 * @used:  on entry how much of @text is taken already, on success how much is then
 * @count: raised by the number of words
 *
 * Return: 0, -EINVAL (a quote is not closed, or the line ends in a backslash), -E2BIG (no room).
 */
int words_split(const char *line, char *text, size_t size, size_t *used, size_t *count);
