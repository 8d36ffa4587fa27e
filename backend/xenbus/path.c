#include "backend/xenbus/path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"

/* The next component of *path into @word; false when there is none or it is too long. */
static bool component(const char **path, char *word, size_t size)
{
	size_t length = strcspn(*path, "/");

	if (!length || length >= size)
		return false;
	memcpy(word, *path, length);
	word[length] = '\0';
	*path += length;
	if (**path == '/')
		++*path;
	return true;
}

static bool is_component(const char **path, const char *expected)
{
	char word[32];

	return component(path, word, sizeof(word)) && !strcmp(word, expected);
}

enum path_scope path_parse(const char *path, const char *class, uint16_t *domid, uint32_t *devid)
{
	char word[16];

	if (!is_component(&path, "backend") || !is_component(&path, class))
		return PATH_OTHER;
	if (!*path)
		return PATH_CLASS;
	if (!component(&path, word, sizeof(word)) || number_parse_u16(word, domid))
		return PATH_OTHER;
	if (!*path)
		return PATH_DOMAIN;
	if (!component(&path, word, sizeof(word)) || number_parse_u32(word, devid))
		return PATH_OTHER;
	return PATH_DEVICE;
}
