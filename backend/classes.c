#include "backend/classes.h"

#include "backend/block/vbd.h"
#include "backend/net/vif.h"

const struct device_class *const device_classes[WORKER_KINDS] = {
	[WORKER_VBD] = &vbd_device_class,
	[WORKER_VIF] = &vif_device_class,
};

const struct worker_class *const worker_classes[WORKER_KINDS] = {
	[WORKER_VBD] = &vbd_worker_class,
	[WORKER_VIF] = &vif_worker_class,
};
