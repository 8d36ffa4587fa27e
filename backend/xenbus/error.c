#include "backend/xenbus/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xs.h"

struct error {
	const char *back, *text;
	bool hotplug;
};

static int write_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct error *error = arg;
	int rc;

	if (!xs_exists(xs, t, "%s/frontend", error->back))
		return 0;
	rc = xs_write_string(xs, t, error->text, "error/%s/error", error->back);
	if (!rc && error->hotplug)
		rc = xs_write_string(xs, t, error->text, "%s/hotplug-error", error->back);
	if (!rc && error->hotplug)
		rc = xs_write_string(xs, t, "error", "%s/hotplug-status", error->back);
	return rc;
}

void error_write(struct xs_handle *xs, const char *back, const char *text, bool hotplug)
{
	struct error error = {back, text, hotplug};
	int rc = xs_transact(xs, write_body, &error);

	if (rc)
		log_warn("error/%s/error cannot be written: %s", back, strerror(-rc));
}

/* The folder above @path, when it is below "error" and empty. */
static int parent_remove(struct xs_handle *xs, xs_transaction_t t, char *path, bool *removed)
{
	char *slash = strrchr(path, '/'), **names;
	unsigned count;

	*removed = false;
	if (!slash)
		return 0;
	*slash = '\0';
	names = xs_directory(xs, t, path, &count);
	free(names);
	if (!names)
		return errno == ENOENT ? 0 : -errno;
	*removed = !count;
	return count ? 0 : xs_remove(xs, t, "%s", path);
}

static int clear_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct error *error = arg;
	char path[XS_PATH_SIZE];
	bool again = true;
	int rc;

	snprintf(path, sizeof(path), "error/%s", error->back);
	rc = xs_remove(xs, t, "%s", path);
	while (!rc && again)
		rc = parent_remove(xs, t, path, &again);
	if (!rc)
		rc = xs_remove(xs, t, "%s/hotplug-error", error->back);
	return rc;
}

void error_clear(struct xs_handle *xs, const char *back)
{
	struct error error = {.back = back};

	if (!xs_exists(xs, XBT_NULL, "error/%s", back))
		return;
	(void)xs_transact(xs, clear_body, &error);
}
