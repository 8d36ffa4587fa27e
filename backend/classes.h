/*
 * classes.h - every class of devices there is, indexed by enum worker_kind.
 */
#pragma once

#include "backend/worker/worker.h"
#include "backend/xenbus/device.h"

extern const struct device_class *const device_classes[WORKER_KINDS];
extern const struct worker_class *const worker_classes[WORKER_KINDS];
