/*
 * resize.h - more or less memory, more or fewer vcpus for a domain that runs.
 */
#pragma once

#include "toolstack/toolstack.h"

/** resize_memory - what its balloon driver shall aim at, and the limit with it (xl mem-set). */
int resize_memory(struct toolstack *ts, uint16_t domid, uint64_t kib, struct fault *fault);

/** resize_maximum - how far its memory may grow (xl mem-max). */
int resize_maximum(struct toolstack *ts, uint16_t domid, uint64_t kib, struct fault *fault);

/**
 * resize_vcpus - how many vcpus it shall use (xl vcpu-set). -EINVAL: more than it can have.
 * @overcommit: even more than the host has CPUs
 */
int resize_vcpus(struct toolstack *ts, uint16_t domid, uint32_t vcpus, bool overcommit,
		 struct fault *fault);
