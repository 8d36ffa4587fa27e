/*
 * cpuid.h - what cpuid= of xl.cfg(5) says, as Xen's library takes it.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/xen/xen.h"

/**
 * cpuid_parse - both of xl's forms: one string "host,htt=0,family=6", or a list of leaves
 * "1:ecx=xxxx...". The words are libxl's own.
 * @cpuid: filled on success, for cpuid_free(); nothing when the config says nothing
 *
 * Return: 0, -EINVAL (a word or leaf that libxl does not know), -ENOMEM.
 */
int cpuid_parse(const struct domain_config *config, struct xen_cpuid *cpuid, struct fault *fault);
void cpuid_free(struct xen_cpuid *cpuid);
