/* block.h - disks as a class of devices. */
#pragma once

#include "toolstack/command/devices.h"

extern const struct device_class block_class;
