#include "toolstack/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path itself, not what a link leads to: programs such as busybox look at how they are called.
 */
static int take(const char *path, char **found)
{
	struct stat stat_of;

	if (stat(path, &stat_of))
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (!S_ISREG(stat_of.st_mode) || access(path, X_OK))
		return -EACCES;
	*found = strdup(path);
	return *found ? 0 : -ENOMEM;
}

static int take_in(const char *dir, size_t length, const char *name, char **found)
{
	char path[PATH_MAX];

	/* An empty word in $PATH is the working directory; a relative one would not stay true. */
	if (!length || *dir != '/' ||
	    snprintf(path, sizeof(path), "%.*s/%s", (int)length, dir, name) >= (int)sizeof(path))
		return -ENOENT;
	return take(path, found);
}

static int beside_find(const char *name, char **found)
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n <= 0)
		return -ENOENT;
	own[n] = '\0';
	return take_in(own, (size_t)(strrchr(own, '/') - own), name, found);
}

static int path_find(const char *name, char **found)
{
	const char *dir = getenv("PATH");
	int rc = -ENOENT;

	while (dir && rc) {
		size_t length = strcspn(dir, ":");

		rc = take_in(dir, length, name, found);
		dir = dir[length] ? dir + length + 1 : NULL;
	}
	return rc;
}

int program_find(const char *name, char **found)
{
	char cwd[PATH_MAX];
	int rc;

	if (*name == '/')
		return take(name, found);
	if (strchr(name, '/'))
		return getcwd(cwd, sizeof(cwd)) ? take_in(cwd, strlen(cwd), name, found) : -errno;
	rc = beside_find(name, found);
	return rc ? path_find(name, found) : 0;
}
