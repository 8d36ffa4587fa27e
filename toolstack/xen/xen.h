/*
 * xen.h - what the toolstack asks of Xen, in our own words.
 *
 * The files of this folder are the only ones that include xenctrl.h and xenguest.h, whose
 * libraries are locked to one version of Xen. Each function that fails says in the fault which call
 * it was and what the library reported.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "toolstack/fault.h"

struct xen;

/** One domain as Xen knows it. */
struct xen_domain {
	uint16_t domid;
	uuid_t uuid;
	bool running, blocked, paused, shutdown, dying;
	unsigned shutdown_reason; /* SHUTDOWN_* of xen/sched.h, when shutdown */
	uint64_t memory_kib;      /* what it has, with what it has claimed */
	uint32_t vcpus;           /* online */
	uint32_t max_vcpus;
	uint32_t pool;   /* of CPUs */
	uint64_t cpu_ns; /* time it ran, of all vcpus */
};

/** How Xen contains a domain: by its paravirtual interface, or by the processor; XEN_HVM with the
 * devices of a whole machine, some Xen's, some a device model's. */
enum xen_container { XEN_PV, XEN_PVH, XEN_HVM };

/** What a domain sees of its processor, where it is not to be what Xen would show. */
struct xen_leaf {
	uint32_t leaf, subleaf; /* UINT32_MAX: it has none */
	char *policy[4];        /* of eax, ebx, ecx, edx: 32 of "01xks", or NULL */
};
struct xen_msr {
	uint32_t index;
	char policy[65];
};
struct xen_cpuid {
	struct xen_leaf *leaf;
	size_t leaves;
	struct xen_msr *msr;
	size_t msrs;
};

/** What a new domain shall have. */
struct xen_limits {
	uint16_t domid; /* 0: Xen chooses */
	uuid_t uuid;
	enum xen_container container;
	uint32_t vcpus;
	uint64_t memory_kib, maxmem_kib;
	uint32_t pool; /* of CPUs */
	uint32_t event_channels;
	int32_t grant_frames, maptrack_frames; /* -1: as Xen likes */
	unsigned grant_version;
	bool no_hap, nested, vpmu, no_pae, no_migrate;
	uint32_t shadow_mib; /* for its page tables; 0: as usual */
	unsigned tsc_mode;   /* 0 default, 1 always emulated, 2 native (xen-tscmode(7)) */
	unsigned timer_mode; /* HVMPTM_* of xen/hvm/params.h */
	struct xen_cpuid cpuid;
	uint64_t model_kib; /* what a device model may take above that, for the ROMs of its cards */
	bool hpet;          /* XEN_HVM: as the machine has it */
	bool restored;      /* its processor comes out of a saved stream */
};

/** The largest firmware, in bytes. */
#define XEN_FIRMWARE_MAX (16u << 20)

/** What is put into a new domain. */
struct xen_image {
	enum xen_container container;
	const char *kernel;  /* path; of XEN_HVM hvmloader, or what takes its place */
	const char *ramdisk; /* path, or NULL */
	const char *cmdline;
	uint64_t memory_kib, maxmem_kib;
	uint64_t video_kib;   /* of that, what the device model's graphics card has */
	const char *firmware; /* XEN_HVM: path of the BIOS or UEFI for hvmloader, or NULL */
	bool apic;            /* XEN_HVM: the firmware tells of it */
	uint32_t vcpus, vcpus_online;
	uint32_t xenstore_port, console_port; /* the guest's ends */
};

/** Where the pages are that the guest shares with xenstored and the console. */
struct xen_built {
	uint64_t xenstore_frame, console_frame; /* as xs_introduce_domain and the store want them */
};

/** xen_open - open the hypervisor. Return: 0 or a negative errno. */
int xen_open(struct xen **xen, struct fault *fault);
void xen_close(struct xen *xen);

/**
 * xen_domain_create - make an empty, paused domain with an id that Xen chooses, its processor and
 * limits set. -ENOTSUP when this host cannot contain such a domain.
 * @domid: set on success; end it with xen_domain_destroy()
 */
int xen_domain_create(struct xen *xen, const struct xen_limits *limits, uint16_t *domid,
		      struct fault *fault);

/** xen_port_alloc - a port of domain @domid that domain 0 may bind. */
int xen_port_alloc(struct xen *xen, uint16_t domid, uint32_t *port, struct fault *fault);

/**
 * xen_domain_build - load kernel and ramdisk into a new domain and make it ready to run.
 * @built: filled on success
 */
int xen_domain_build(struct xen *xen, uint16_t domid, const struct xen_image *image,
		     struct xen_built *built, struct fault *fault);

/** xen_domain_get - one domain. Return: 0, -ENOENT (without a fault), or a negative errno. */
int xen_domain_get(struct xen *xen, uint16_t domid, struct xen_domain *domain, struct fault *fault);

/** xen_memory_free - how much memory new domains can have. */
int xen_memory_free(struct xen *xen, uint64_t *kib, struct fault *fault);

/**
 * xen_memory_claim - set memory aside for a domain that has less: what it is given from now on
 * comes out of it, and nobody else gets it. A domain has one claim at a time; its end ends it as
 * well.
 * @kib: in all, with what it has already; 0 gives back what it has not taken
 * Return: 0, -ENOMEM (without a fault: there is not so much), or a negative errno.
 */
int xen_memory_claim(struct xen *xen, uint16_t domid, uint64_t kib, struct fault *fault);

/** xen_domain_list - all domains, ascending; @list is for free(3). */
int xen_domain_list(struct xen *xen, struct xen_domain **list, size_t *count, struct fault *fault);

/** Pause, go on, destroy. -ESRCH when there is no such domain. */
int xen_domain_pause(struct xen *xen, uint16_t domid, struct fault *fault);
int xen_domain_unpause(struct xen *xen, uint16_t domid, struct fault *fault);
int xen_domain_destroy(struct xen *xen, uint16_t domid, struct fault *fault);

/** xen_domain_sethandle - give a domain another UUID. */
int xen_domain_sethandle(struct xen *xen, uint16_t domid, const uuid_t uuid, struct fault *fault);
