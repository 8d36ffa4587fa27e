/*
 * cpulist.h - lists of host CPUs as xl.cfg(5) has them for cpus= and xl(1) for vcpu-pin:
 * "all", "0-3,5,^1", "nodes:0-1,^node:2", "none".
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The most CPUs of a host that a list can name (CONFIG_NR_CPUS of Xen has at most 16383). */
#define CPULIST_MAX 16384u

/** The host a list is for. */
struct cpulist_host {
	unsigned cpus;
	const unsigned *node; /* of each cpu, @cpus of them; NULL: all are of node 0 */
};

/** cpulist_check - is it a list at all? Return: 0 or -EINVAL. */
int cpulist_check(const char *text);

/**
 * cpulist_parse - the CPUs of a list.
 * @map: @host->cpus bits, the lowest of a byte first; written on success
 *
 * Return: 0, -EINVAL (no list), -ERANGE (a number beyond the host's CPUs or nodes).
 */
int cpulist_parse(const char *text, const struct cpulist_host *host, uint8_t *map);

/** cpulist_bytes - the bytes that a map of so many CPUs takes. */
static inline size_t cpulist_bytes(unsigned cpus)
{
	return (cpus + 7) / 8;
}

/**
 * cpulist_print - the list of a map, as xl prints it: "0-2,5", "all" or "none".
 * @size: of @text, at least 8; a list that does not fit ends in ",..."
 */
void cpulist_print(const uint8_t *map, unsigned cpus, char *text, size_t size);
