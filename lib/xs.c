#include "lib/xs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

static int path_make(char *path, const char *format, va_list args)
{
	int n = vsnprintf(path, XS_PATH_SIZE, format, args);

	return n < 0 || n >= XS_PATH_SIZE ? -ENAMETOOLONG : 0;
}

#define PATH_FROM_ARGS(path, format, rc)                   \
	do {                                               \
		va_list path_args;                         \
		va_start(path_args, format);               \
		(rc) = path_make(path, format, path_args); \
		va_end(path_args);                         \
	} while (0)

static char *value_read(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
	unsigned length;
	char *value = xs_read(xs, t, path, &length);

	if (value && memchr(value, '\0', length)) {
		free(value);
		errno = EINVAL;
		return NULL;
	}
	return value; /* libxenstore puts a NUL behind it */
}

char *xs_read_string(struct xs_handle *xs, xs_transaction_t t, const char *format, ...)
{
	char path[XS_PATH_SIZE];
	int rc;

	PATH_FROM_ARGS(path, format, rc);
	if (rc) {
		errno = -rc;
		return NULL;
	}
	return value_read(xs, t, path);
}

int xs_read_number(struct xs_handle *xs, xs_transaction_t t, uint64_t max, uint64_t *value,
		   const char *format, ...)
{
	char path[XS_PATH_SIZE];
	char *text;
	int rc;

	PATH_FROM_ARGS(path, format, rc);
	if (rc)
		return rc;
	text = value_read(xs, t, path);
	if (!text)
		return -errno;
	rc = number_parse(text, max, value);
	free(text);
	return rc;
}

static int value_write(struct xs_handle *xs, xs_transaction_t t, const char *path,
		       const char *value)
{
	return xs_write(xs, t, path, value, (unsigned)strlen(value)) ? 0 : -errno;
}

int xs_write_string(struct xs_handle *xs, xs_transaction_t t, const char *value, const char *format,
		    ...)
{
	char path[XS_PATH_SIZE];
	int rc;

	PATH_FROM_ARGS(path, format, rc);
	return rc ? rc : value_write(xs, t, path, value);
}

int xs_write_number(struct xs_handle *xs, xs_transaction_t t, uint64_t value, const char *format,
		    ...)
{
	char path[XS_PATH_SIZE];
	char text[24];
	int rc;

	PATH_FROM_ARGS(path, format, rc);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return value_write(xs, t, path, text);
}

int xs_remove(struct xs_handle *xs, xs_transaction_t t, const char *format, ...)
{
	char path[XS_PATH_SIZE];
	int rc;

	PATH_FROM_ARGS(path, format, rc);
	if (rc)
		return rc;
	return xs_rm(xs, t, path) || errno == ENOENT ? 0 : -errno;
}

bool xs_exists(struct xs_handle *xs, xs_transaction_t t, const char *format, ...)
{
	char path[XS_PATH_SIZE];
	char *value;
	int rc;

	PATH_FROM_ARGS(path, format, rc);
	if (rc)
		return false;
	value = xs_read(xs, t, path, NULL);
	free(value);
	return value != NULL;
}

int xs_transact(struct xs_handle *xs,
		int (*body)(struct xs_handle *xs, xs_transaction_t t, void *arg), void *arg)
{
	for (int tries = 0; tries < XS_TRANSACTION_TRIES; tries++) {
		xs_transaction_t t = xs_transaction_start(xs);
		int rc;

		if (t == XBT_NULL)
			return -errno;
		rc = body(xs, t, arg);
		if (rc) {
			xs_transaction_end(xs, t, true);
			return rc;
		}
		if (xs_transaction_end(xs, t, false))
			return 0;
		if (errno != EAGAIN)
			return -errno;
	}
	return -EAGAIN;
}
