/* libxendevicemodel: QEMU opens it whether or not there is anything to model. */
#include <stdint.h>
#include <stdlib.h>
#include <xentoollog.h>

#include <xendevicemodel.h>

struct xendevicemodel_handle {
	int unused;
};

xendevicemodel_handle *xendevicemodel_open(xentoollog_logger *logger, unsigned int open_flags)
{
	return calloc(1, sizeof(xendevicemodel_handle));
}

int xendevicemodel_close(xendevicemodel_handle *dmod)
{
	free(dmod);
	return 0;
}
