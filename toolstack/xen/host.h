/*
 * host.h - what the toolstack asks of the machine and of Xen itself.
 *
 * Errors as everywhere in this folder: a negative errno, the fault says which call it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/fault.h"

struct xen;

/** The machine. */
struct xen_machine {
	unsigned cpus, max_cpu, nodes, cores, threads; /* cores of a socket, threads of a core */
	unsigned khz;
	uint32_t features[8]; /* of the boot processor, as xl's hw_caps */
	bool pv, hvm, directio, hap, shadow, iommu_share, vmtrace, vpmu, grant1, grant2;
	uint64_t total_kib, free_kib, claimed_kib; /* free: what is claimed already taken off */
	uint64_t shared_freed_pages, shared_used_pages;
	unsigned free_cpus; /* in no pool */
};
int xen_machine_get(struct xen *xen, struct xen_machine *machine, struct fault *fault);

/** Xen's own description of itself. Strings are cut at their room. */
struct xen_version {
	unsigned major, minor, page_size;
	char extra[16], capabilities[1024], changeset[64], commandline[1024];
	char compiler[64], by[64], domain[64], date[64];
	uint64_t virt_start;
	char scheduler[16]; /* "credit2", ... */
	char build_id[64];  /* hexadecimal, or "" */
};
int xen_version_get(struct xen *xen, struct xen_version *version, struct fault *fault);

/** A CPU of the host. */
struct xen_cpu {
	bool present;
	unsigned core, socket, node;
};

/** xen_cpus_get - all of them, for free(3). */
int xen_cpus_get(struct xen *xen, struct xen_cpu **cpus, unsigned *count, struct fault *fault);

/** A node of memory. */
struct xen_node {
	bool present;
	uint64_t bytes, free_bytes;
};

/** xen_nodes_get - all of them, and how far each is from each; both for free(3). */
int xen_nodes_get(struct xen *xen, struct xen_node **nodes, unsigned **distances, unsigned *count,
		  struct fault *fault);

/** xen_messages - Xen's message ring, a string for free(3). @clear: and empty it */
int xen_messages(struct xen *xen, bool clear, char **text, struct fault *fault);

/** xen_debug_keys - as if the keys were typed at Xen's console. */
int xen_debug_keys(struct xen *xen, const char *keys, struct fault *fault);
