/*
 * libxl_json.h - a config in the words of libxl: its libxl_domain_config as JSON, as it keeps that
 * of each domain for `xl list -l`, `xl save` and `xl mem-set` (libxl_types.idl of Xen 4.17).
 *
 * What libxl asks Xen, the XenStore or QEMU itself when it reads it is as it was at the beginning
 * here. Pinning (cpus=), cpuid= and the grants of ioports=, iomem= and irqs= are left out, and so
 * is which program serves a disk: of ours libxl knows none.
 */
#pragma once

#include "toolstack/config/domain_config.h"

/** libxl_json - Return: the text, with a newline, for free(3); or NULL without memory. */
char *libxl_json(const struct domain_config *config);
