#include "embedded/ctrl/interface.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int interface_fail(int rc)
{
	errno = -rc;
	return -1;
}

static int connect_again(xc_interface *xch)
{
	int rc;

	/* What the parent has stays open there. */
	if (xch->pid)
		client_close(&xch->client);
	rc = client_open(&xch->client);
	xch->pid = rc ? 0 : getpid();
	return rc;
}

struct client *interface_client(xc_interface *xch)
{
	int rc = 0;

	if (xch->flags & XC_OPENFLAG_DUMMY)
		rc = -ENOSYS;
	else if (xch->pid != getpid())
		rc = connect_again(xch);
	if (!rc)
		return &xch->client;
	errno = -rc;
	return NULL;
}

int interface_call(xc_interface *xch, const void *request, size_t request_size, void *reply,
		   size_t reply_size)
{
	struct client *client = interface_client(xch);
	int rc;

	if (!client)
		return -1;
	rc = client_call(client, request, request_size, reply, reply_size, NULL, NULL);
	return rc ? interface_fail(rc) : 0;
}

int interface_set(xc_interface *xch, uint32_t domid, enum wire_domain_item item, uint64_t value)
{
	struct wire_domain_set request = {
		.opcode = WIRE_DOMAIN_SET, .domid = domid, .item = item, .value = value};
	struct wire_result reply;

	return interface_call(xch, &request, sizeof(request), &reply, sizeof(reply));
}

void interface_report(xc_interface *xch, const char *format, ...)
{
	int kept = errno;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(xch->last_error.message, sizeof(xch->last_error.message), format, args);
	va_end(args);
	xch->last_error.code = XC_INTERNAL_ERROR;
	xtl_log(xch->logger, XTL_ERROR, -1, "xc", "%s", xch->last_error.message);
	errno = kept;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
				unsigned open_flags)
{
	xc_interface *xch = calloc(1, sizeof(*xch));
	int rc;

	if (!xch)
		return NULL;
	xch->flags = open_flags;
	xch->client.fd = -1;
	if (!logger)
		logger = xch->own_logger =
			(xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_PROGRESS, 0);
	xch->logger = logger;
	xch->builder_logger = dombuild_logger ? dombuild_logger : logger;
	if (open_flags & XC_OPENFLAG_DUMMY)
		return xch;
	rc = connect_again(xch);
	if (!rc)
		return xch;

	xtl_log(logger, XTL_ERROR, -rc, "xc", "no embedded host: start one with xsplit-embedded");
	xc_interface_close(xch);
	errno = -rc;
	return NULL;
}

int xc_interface_close(xc_interface *xch)
{
	if (!xch)
		return 0;
	if (xch->pid)
		client_close(&xch->client);
	xtl_logger_destroy(xch->own_logger);
	free(xch);
	return 0;
}

const xc_error *xc_get_last_error(xc_interface *xch)
{
	return &xch->last_error;
}

void xc_clear_last_error(xc_interface *xch)
{
	xch->last_error = (xc_error){.code = XC_ERROR_NONE};
}

const char *xc_error_code_to_desc(int code)
{
	static const char *const desc[] = {
		[XC_ERROR_NONE] = "No error details",
		[XC_INTERNAL_ERROR] = "Internal error",
		[XC_INVALID_KERNEL] = "Invalid kernel",
		[XC_INVALID_PARAM] = "Invalid configuration",
		[XC_OUT_OF_MEMORY] = "Out of memory",
	};

	if (code < 0 || (size_t)code >= sizeof(desc) / sizeof(desc[0]) || !desc[code])
		return "Unknown error code";
	return desc[code];
}
