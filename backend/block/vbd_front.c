/* What the frontend's nodes say of its rings. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/protocols.h>

#include "backend/block/vbd_device.h"

static int abi_read(struct device *dev, uint32_t *abi)
{
	char *protocol = device_front_string(dev, "protocol");
	int rc = 0;

	/* Frontends that do not say are old 32-bit ones, as for Linux on x86. */
	if (!protocol || !strcmp(protocol, XEN_IO_PROTO_ABI_X86_32))
		*abi = BLK_ABI_32;
	else if (!strcmp(protocol, XEN_IO_PROTO_ABI_X86_64) ||
		 !strcmp(protocol, XEN_IO_PROTO_ABI_ARM)) /* the same layout */
		*abi = BLK_ABI_64;
	else
		rc = device_fail(dev, -EINVAL, "protocol %.32s is not x86_64-abi or x86_32-abi",
				 protocol);
	free(protocol);
	return rc;
}

/* Either spelling; a frontend that writes both writes the same. */
static int order_read(struct device *dev, uint32_t *order)
{
	uint64_t pages, value;
	int rc = device_front_number(dev, VBD_ORDER_MAX, UINT64_MAX, &value, "ring-page-order");

	if (rc)
		return rc;
	if (value != UINT64_MAX) {
		*order = (uint32_t)value;
		return 0;
	}
	rc = device_front_number(dev, 1u << VBD_ORDER_MAX, 1, &pages, "num-ring-pages");
	if (rc)
		return rc;
	if (!pages || pages & (pages - 1))
		return device_fail(dev, -EINVAL, "num-ring-pages %" PRIu64 " is not a power of two",
				   pages);
	*order = (uint32_t)__builtin_ctzl(pages);
	return 0;
}

static int queue_read(struct device *dev, struct vbd_connect *connect, unsigned n,
		      const char *folder)
{
	uint64_t value;
	int rc = device_front_required(dev, UINT32_MAX, &value, "%sevent-channel", folder);

	if (rc)
		return rc;
	connect->queue[n].port = (uint32_t)value;
	/* One page is ring-ref, or ring-ref0 of a frontend that also wrote its order. */
	if (!connect->order) {
		rc = device_front_number(dev, UINT32_MAX, UINT64_MAX, &value, "%sring-ref", folder);
		if (rc || value != UINT64_MAX) {
			connect->queue[n].ref[0] = (uint32_t)value;
			return rc;
		}
	}
	for (unsigned page = 0; page < 1u << connect->order; page++) {
		rc = device_front_required(dev, UINT32_MAX, &value, "%sring-ref%u", folder, page);
		if (rc)
			return rc;
		connect->queue[n].ref[page] = (uint32_t)value;
	}
	return 0;
}

static int queues_read(struct device *dev, struct vbd_connect *connect)
{
	uint64_t queues;
	uint32_t allowed = ((struct vbd_device *)dev)->queues;
	int rc = device_front_number(dev, allowed, 1, &queues, "multi-queue-num-queues");

	if (rc)
		return rc;
	if (!queues)
		return device_fail(dev, -EINVAL, "multi-queue-num-queues is 0, not 1 to %u",
				   allowed);
	connect->queues = (uint32_t)queues;
	for (unsigned n = 0; !rc && n < queues; n++) {
		char folder[16] = "";

		if (queues > 1)
			snprintf(folder, sizeof(folder), "queue-%u/", n);
		rc = queue_read(dev, connect, n, folder);
	}
	return rc;
}

/* What is no number says nothing. */
static bool persistent_read(struct device *dev)
{
	uint64_t value;

	return !device_front_number(dev, 1, 0, &value, "feature-persistent") && value;
}

int vbd_front_read(struct device *dev, struct vbd_connect *connect)
{
	int rc = abi_read(dev, &connect->abi);

	connect->persistent = persistent_read(dev);
	if (!rc)
		rc = order_read(dev, &connect->order);
	if (!rc)
		rc = queues_read(dev, connect);
	return rc;
}
