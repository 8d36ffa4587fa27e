/*
 * kernel.h - what is loaded into a guest: is it there, is it of the right kind?
 */
#pragma once

#include "toolstack/config/domain_config.h"

/**
 * kernel_plan - find and check the kernel (of a process guest: the program) and the ramdisk, and
 * make their paths absolute. Return: 0, or a negative errno with the fault set.
 */
int kernel_plan(struct domain_config *config, struct fault *fault);
