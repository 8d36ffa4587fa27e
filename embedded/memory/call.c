/* libxencall: there is nobody to call, but a handle can be had. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <xencall.h>
#include <xentoollog.h>

struct xencall_handle {
	int unused;
};

xencall_handle *xencall_open(xentoollog_logger *logger, unsigned open_flags)
{
	return calloc(1, sizeof(xencall_handle));
}

int xencall_close(xencall_handle *xcall)
{
	free(xcall);
	return 0;
}
