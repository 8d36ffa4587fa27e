#include "embedded/environment.h"

#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
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

static int set(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int set(const char *name, const char *format, ...)
{
	va_list args;
	char *value;
	int n;

	va_start(args, format);
	n = vasprintf(&value, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	n = setenv(name, value, 1) ? -errno : 0;
	free(value);
	return n;
}

/*
 * Xen's own tools, such as test-xenstore, lie in a folder that no PATH has. It comes before the
 * user's, where Debian has wrappers of the same names that look for a hypervisor first.
 */
static int set_path(const struct places *places, const char *inherited)
{
	glob_t found = {0};
	int rc;

	rc = set("PATH", "%s:/usr/sbin:/sbin",
		 inherited ? inherited : "/usr/local/bin:/usr/bin:/bin");
	if (!glob("/usr/lib/xen-[0-9]*/bin", 0, NULL, &found)) {
		for (size_t i = 0; !rc && i < found.gl_pathc; i++)
			rc = set("PATH", "%s:%s", found.gl_pathv[i], getenv("PATH"));
	}
	globfree(&found);
	return rc ? rc : set("PATH", "%s:%s", places->bin, getenv("PATH"));
}

/*
 * A program built without the sanitizers that loads a library of ours built with them must load
 * the runtime first. It may well leak: that is not ours to report.
 */
static int set_sanitizer(void)
{
	void *entry = dlsym(RTLD_DEFAULT, "__asan_init");
	const char *options = getenv("ASAN_OPTIONS");
	Dl_info info;

	if (!entry || !dladdr(entry, &info))
		return 0;
	return set("LD_PRELOAD", "%s", info.dli_fname)
		       ?: set("ASAN_OPTIONS", "%s%sdetect_leaks=0", options ? options : "",
			      options ? ":" : "");
}

static int set_domain(const struct places *places, const char *dir, unsigned int domid,
		      const char *libraries)
{
	return set("LD_LIBRARY_PATH", "%s%s%s", places->lib, libraries ? ":" : "",
		   libraries ? libraries : "")
		       ?: set("XSPLIT_EMBEDDED", "%s/dom%u/host", dir, domid)
		       ?: set("XSPLIT_RUNDIR", "%s/dom%u/run", dir, domid)
		       ?: set_sanitizer();
}

int environment_dom0(const struct places *places, const char *dir)
{
	return set_path(places, getenv("PATH"))
		       ?: set_domain(places, dir, 0, getenv("LD_LIBRARY_PATH"))
		       ?: set("XENSTORED_RUNDIR", "%s/xenstored", dir)
		       ?: set("XENSTORED_PATH", "%s/xenstored/socket", dir);
}

int environment_guest(const struct places *places, const char *dir, unsigned int domid)
{
	static const char *const inherited[] = {"LANG",       "TERM",         "TMPDIR",
						"XSPLIT_LOG", "ASAN_OPTIONS", "UBSAN_OPTIONS"};
	char *values[sizeof(inherited) / sizeof(inherited[0])] = {0};
	char *path = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
	int rc = 0;

	for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		if (getenv(inherited[i]))
			values[i] = strdup(getenv(inherited[i]));
	}
	clearenv();
	for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		if (values[i] && !rc)
			rc = set(inherited[i], "%s", values[i]);
		free(values[i]);
	}
	rc = rc		  ?: set("PATH", "%s", path ? path : "/usr/local/bin:/usr/bin:/bin")
		       ?: set_domain(places, dir, domid, NULL)
		       ?: set("XENSTORED_PATH", "%s/dom%u/xenbus", dir, domid);
	free(path);
	return rc;
}

int environment_daemon(void)
{
	if (!dlsym(RTLD_DEFAULT, "__asan_init"))
		return 0;
	if (unsetenv("LD_PRELOAD"))
		return -errno;
	return set("ASAN_OPTIONS", "%s:detect_leaks=1", getenv("ASAN_OPTIONS") ?: "");
}
