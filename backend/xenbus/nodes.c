/* What a class of devices reads the two directories with; see device.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "backend/xenbus/device.h"

int device_fail(struct device *dev, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(dev->error, sizeof(dev->error), format, args);
	va_end(args);
	return rc;
}

static int front_number(struct device *dev, uint64_t max, uint64_t *value, const char *node)
{
	int rc = xs_read_number(dev->xs, XBT_NULL, max, value, "%s/%s", dev->front, node);

	if (rc && rc != -ENOENT)
		device_fail(dev, rc, "the frontend's %s is not a number up to %" PRIu64, node, max);
	return rc;
}

int device_front_number(struct device *dev, uint64_t max, uint64_t missing, uint64_t *value,
			const char *format, ...)
{
	char node[64];
	va_list args;
	int rc;

	va_start(args, format);
	vsnprintf(node, sizeof(node), format, args);
	va_end(args);
	rc = front_number(dev, max, value, node);
	if (rc != -ENOENT)
		return rc;
	*value = missing;
	return 0;
}

int device_front_required(struct device *dev, uint64_t max, uint64_t *value, const char *format,
			  ...)
{
	char node[64];
	va_list args;
	int rc;

	va_start(args, format);
	vsnprintf(node, sizeof(node), format, args);
	va_end(args);
	rc = front_number(dev, max, value, node);
	if (rc == -ENOENT)
		device_fail(dev, rc, "the frontend's %s is missing", node);
	return rc;
}

char *device_front_string(struct device *dev, const char *node)
{
	return xs_read_string(dev->xs, XBT_NULL, "%s/%s", dev->front, node);
}

char *device_back_string(struct device *dev, const char *node)
{
	return xs_read_string(dev->xs, XBT_NULL, "%s/%s", dev->back, node);
}

struct node_write {
	struct device *dev;
	const char *node, *value;
};

static int back_write_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct node_write *write = arg;

	/* Never into a directory that the toolstack has just removed. */
	if (!xs_exists(xs, t, "%s/frontend", write->dev->back))
		return -ENOENT;
	return xs_write_string(xs, t, write->value, "%s/%s", write->dev->back, write->node);
}

int device_back_write(struct device *dev, const char *node, const char *value)
{
	struct node_write write = {dev, node, value};

	return xs_transact(dev->xs, back_write_body, &write);
}
