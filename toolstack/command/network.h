/* network.h - network cards as a class of devices. */
#pragma once

#include "toolstack/command/devices.h"

extern const struct device_class network_class;
