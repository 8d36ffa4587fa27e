#include "lib/rundir.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *rundir(void)
{
	const char *dir = getenv("XSPLIT_RUNDIR");

	return dir && *dir ? dir : "/run/xsplit";
}

int rundir_path(char *path, size_t size, const char *format, ...)
{
	va_list args;
	int used = snprintf(path, size, "%s/", rundir());
	int n;

	if (used < 0 || (size_t)used >= size)
		return -ENAMETOOLONG;
	va_start(args, format);
	n = vsnprintf(path + used, size - (size_t)used, format, args);
	va_end(args);
	return n < 0 || (size_t)n >= size - (size_t)used ? -ENAMETOOLONG : 0;
}

int rundir_make(const char *below)
{
	char path[PATH_MAX];
	int rc = rundir_path(path, sizeof(path), "%s", below ? below : "");

	if (rc)
		return rc;
	for (char *slash = path + 1;; slash++) {
		if (*slash && *slash != '/')
			continue;
		char kept = *slash;

		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		if (!kept)
			return 0;
		*slash = kept;
	}
}
