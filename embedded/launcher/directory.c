#include "embedded/launcher/directory.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

static int make_kept(const char *keep, char *path)
{
	if (mkdir(keep, 0700))
		return -errno;
	return realpath(keep, path) ? 0 : -errno;
}

static int make_temporary(char *path)
{
	const char *above = getenv("TMPDIR");
	char name[PATH_MAX];

	if (!above || !*above)
		above = "/tmp";
	if (snprintf(name, sizeof(name), "%s/xsplit-XXXXXX", above) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	if (!mkdtemp(name))
		return -errno;
	return realpath(name, path) ? 0 : -errno;
}

static int make_inside(const char *dir)
{
	static const char *const inside[] = {"dom0", "dom0/run", "dom0/userdata", "xenstored",
					     "log"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, inside[i]);
		if (mkdir(path, 0755))
			return -errno;
	}
	return 0;
}

int directory_make(const char *keep, char *dir)
{
	char path[PATH_MAX] = "";
	int rc = keep ? make_kept(keep, path) : make_temporary(path);

	if (!rc && strlen(path) > DIRECTORY_MAX) {
		(void)rmdir(path);
		rc = -ENAMETOOLONG;
	}
	if (!rc) {
		rc = make_inside(path);
		(void)snprintf(dir, DIRECTORY_MAX + 1, "%s", path);
	}
	if (rc && keep)
		log_error("--keep %s: cannot make it: %s; name a new directory, %d bytes at most",
			  keep, strerror(-rc), DIRECTORY_MAX);
	else if (rc)
		log_error("cannot make a directory below %s: %s; set TMPDIR to a short path "
			  "with room",
			  getenv("TMPDIR") ?: "/tmp", strerror(-rc));
	return rc;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	if (remove(path) && errno != ENOENT)
		log_warn("%s: cannot remove: %s", path, strerror(errno));
	return 0;
}

void directory_remove(const char *dir)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) && errno != ENOENT)
		log_warn("%s: cannot remove: %s", dir, strerror(errno));
}
