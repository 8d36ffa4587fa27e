#include "toolstack/late.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <toolstack/late_names.h>

#define EXIT_NO_LIBRARY 127

static void *loaded(enum late_library library)
{
	static const char *const names[LATE_LIBRARIES] = {
		[LATE_XLUTIL] = LATE_XLUTIL_NAME,
		[LATE_XENGUEST] = LATE_XENGUEST_NAME,
		[LATE_NETLINK] = LATE_NETLINK_NAME,
		[LATE_SECCOMP] = LATE_SECCOMP_NAME,
	};
	void *handle = dlopen(names[library], RTLD_LAZY);

	if (!handle) {
		fprintf(stderr,
			"error while loading a shared library: %s; is its package installed?\n",
			dlerror());
		exit(EXIT_NO_LIBRARY);
	}
	return handle;
}

void *late_find(enum late_library library, const char *name)
{
	/* A library that is loaded is only counted. */
	void *symbol = dlsym(loaded(library), name);

	if (!symbol) {
		fprintf(stderr, "error while loading a shared library: %s\n", dlerror());
		exit(EXIT_NO_LIBRARY);
	}
	return symbol;
}

void late_load_all(void)
{
	for (enum late_library library = 0; library < LATE_LIBRARIES; library++)
		loaded(library);
}
