#include "lib/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLD_TRIES    40
#define HOLD_PAUSE_US 50000

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

/* The descriptor stays open: closing any of the file would give the lock away (fcntl(2)). */
int rundir_hold(const char *name, pid_t *holder)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	int fd, rc = rundir_make(NULL);

	if (!rc)
		rc = rundir_path(path, sizeof(path), "%s", name);
	if (rc)
		return rc;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	for (int tries = 0; tries < HOLD_TRIES; tries++) {
		if (!fcntl(fd, F_SETLK, &lock))
			return 0;
		rc = -errno;
		if (rc != -EAGAIN && rc != -EACCES)
			break;
		rc = -EBUSY;
		usleep(HOLD_PAUSE_US);
	}
	*holder = !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK ? lock.l_pid : 0;
	close(fd);
	return rc;
}
