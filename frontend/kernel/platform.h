/*
 * platform.h - the kernel as a host of frontend/core (frontend/core/platform.h).
 */
#pragma once

#include "frontend/core/platform.h"

/** platform_start - Return: the host, or NULL (no grant table). The guest is upgraded. */
struct platform *platform_start(void);
