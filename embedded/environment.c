#include "embedded/environment.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int places_find(struct places *places)
{
	ssize_t n = readlink("/proc/self/exe", places->bin, sizeof(places->bin) - 1);
	char *slash;

	if (n < 0)
		return -errno;
	places->bin[n] = '\0';
	slash = strrchr(places->bin, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	n = snprintf(places->lib, sizeof(places->lib), "%s/../lib/xsplit/embedded", places->bin);
	return n < (ssize_t)sizeof(places->lib) ? 0 : -ENAMETOOLONG;
}

/* Does nothing after a failure, so that many can follow each other. */
static void set(int *rc, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void set(int *rc, const char *name, const char *format, ...)
{
	va_list args;
	char *value;
	int n;

	if (*rc)
		return;
	va_start(args, format);
	n = vasprintf(&value, format, args);
	va_end(args);
	if (n < 0) {
		*rc = -ENOMEM;
		return;
	}
	if (setenv(name, value, 1))
		*rc = -errno;
	free(value);
}

/*
 * Xen's own tools, such as test-xenstore, lie in a folder that no PATH has. It comes before the
 * user's, where Debian has wrappers of the same names that look for a hypervisor first.
 */
static void set_path(int *rc, const struct places *places)
{
	const char *inherited = getenv("PATH");
	glob_t found = {0};

	set(rc, "PATH", "%s:/usr/sbin:/sbin",
	    inherited ? inherited : "/usr/local/bin:/usr/bin:/bin");
	if (!glob("/usr/lib/xen-[0-9]*/bin", 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			set(rc, "PATH", "%s:%s", found.gl_pathv[i], getenv("PATH"));
	}
	globfree(&found);
	set(rc, "PATH", "%s:%s", places->bin, getenv("PATH"));
}

static void set_domain(int *rc, const char *dir, unsigned int domid)
{
	set(rc, "XSPLIT_EMBEDDED", "%s/dom%u/host", dir, domid);
	set(rc, "XSPLIT_RUNDIR", "%s/dom%u/run", dir, domid);
}

int environment_dom0(const struct places *places, const char *dir)
{
	const char *libraries = getenv("LD_LIBRARY_PATH");
	int rc = 0;

	set_path(&rc, places);
	set(&rc, "LD_LIBRARY_PATH", "%s%s%s", places->lib, libraries ? ":" : "",
	    libraries ? libraries : "");
	set_domain(&rc, dir, 0);
	set(&rc, "XSPLIT_USERDATADIR", "%s/dom0/userdata", dir);
	set(&rc, "XENSTORED_RUNDIR", "%s/xenstored", dir);
	set(&rc, "XENSTORED_PATH", "%s/xenstored/socket", dir);
	return rc;
}

static bool is_inherited(const char *entry)
{
	static const char *const names[] = {"PATH=",         "LANG=",         "TERM=",
					    "TMPDIR=",       "XSPLIT_LOG=",   "LD_LIBRARY_PATH=",
					    "ASAN_OPTIONS=", "UBSAN_OPTIONS="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strncmp(entry, names[i], strlen(names[i])))
			return true;
	}
	return false;
}

int environment_guest(const char *dir, unsigned int domid)
{
	int rc = 0;

	for (char **entry = environ; *entry;) {
		if (is_inherited(*entry)) {
			entry++;
			continue;
		}
		char *name = strndup(*entry, strcspn(*entry, "="));

		if (!name)
			return -ENOMEM;
		unsetenv(name);
		free(name);
	}
	set_domain(&rc, dir, domid);
	set(&rc, "XENSTORED_PATH", "%s/dom%u/xenbus", dir, domid);
	return rc;
}
