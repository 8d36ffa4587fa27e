#include "xenstore-tools/store/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "/local/domain/5/data" -> 16, the part that does not count; at most five digits, as in C. */
static size_t home_length(const char *path)
{
	static const char prefix[] = "/local/domain/";
	size_t start = sizeof(prefix) - 1, digits;

	if (strncmp(path, prefix, start) != 0)
		return 0;
	digits = strspn(path + start, "0123456789");
	if (!digits || digits > 5 || path[start + digits] != '/')
		return 0;
	return start + digits + 1;
}

bool path_valid(const char *path, size_t max)
{
	size_t length = strlen(path);

	if (path[0] != '/' || length > PATH_ABSOLUTE_MAX || length > home_length(path) + max)
		return false;
	if (length > 1 && path[length - 1] == '/')
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = path[i];

		if (c == '/' && path[i + 1] == '/')
			return false;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '/' || c == '_' || c == '@'))
			return false;
	}
	return true;
}

bool path_special(const char *path)
{
	return path[0] == '@';
}

int path_absolute(const char *path, const char *home, char *out)
{
	int length;

	if (path[0] == '/' || path[0] == '@')
		length = snprintf(out, PATH_SIZE, "%s", path);
	else
		length = snprintf(out, PATH_SIZE, "%s/%s", home, path);
	return length >= 0 && length < PATH_SIZE ? 0 : -EINVAL;
}

size_t path_parent(const char *path, size_t length)
{
	while (length > 1 && path[length - 1] != '/')
		length--;
	return length > 1 ? length - 1 : 1;
}

const char *path_component(const char **at, size_t *length)
{
	const char *name = *at;

	while (*name == '/')
		name++;
	if (!*name)
		return NULL;
	*length = strcspn(name, "/");
	*at = name + *length;
	return name;
}
