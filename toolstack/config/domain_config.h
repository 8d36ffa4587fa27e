/*
 * domain_config.h - what a guest shall be: an xl.cfg(5) file, read and checked.
 *
 * Every string is the config's own; domain_config_free() ends them. What is said here depends on
 * the text alone; whether the files, bridges and names are there is the plan's business
 * (domain/plan.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "lib/qos.h"
#include "toolstack/config/mac.h"
#include "toolstack/config/options.h"
#include "toolstack/config/vdev.h"
#include "toolstack/fault.h"

/** The longest name of a domain, without its NUL. */
#define DOMAIN_NAME_MAX 127u
/**
 * The least and the most memory. Grant table, ring pages and the guest's own shared pages need
 * some; Xen's limit is far away.
 */
#define MEMORY_MIB_MIN  4u
#define MEMORY_MIB_MAX  (16u << 20)
/** The most disks and the most vifs of a domain. */
#define DEVICES_MAX     256u

/**
 * An ordinary program (on the embedded platform), a kernel in a PV or PVH container, or a whole
 * machine with firmware and emulated devices.
 */
enum domain_type { DOMAIN_PROCESS, DOMAIN_PV, DOMAIN_PVH, DOMAIN_HVM };

/** What becomes of a domain that ended. */
enum domain_action {
	ACTION_DESTROY,
	ACTION_RESTART,
	ACTION_PRESERVE,
	ACTION_RENAME_RESTART,   /* the old one stays under another name */
	ACTION_COREDUMP_DESTROY, /* its memory is written to a file first */
	ACTION_COREDUMP_RESTART,
	ACTION_SOFT_RESET /* it goes on in its memory, with new interfaces to Xen */
};

/** Why it ended; the index into struct domain_config's action. */
enum domain_end { END_POWEROFF, END_REBOOT, END_CRASH, END_WATCHDOG, END_SOFT_RESET, END_COUNT };

enum disk_backend { DISK_PHY, DISK_QDISK };
enum disk_format { DISK_RAW, DISK_QCOW2, DISK_QCOW, DISK_VHD, DISK_QED, DISK_VMDK, DISK_VDI };

struct disk_config {
	char *target; /* as written; the plan makes a path absolute */
	bool remote;  /* it is a server's, no path */
	char vdev[VDEV_NAME_SIZE];
	uint32_t number;
	enum disk_backend backend;
	enum disk_format format;
	bool writable;
	bool cdrom; /* its target may be "": the drive is empty */
	bool discard;
	bool direct_io_safe;
	bool untrusted;         /* the frontend is to protect itself from the backend */
	uint32_t sector_size;   /* 0: not said */
	const char *units;      /* of legacy-sector-units, static, or NULL */
	const char *polling;    /* 0, 1, or NULL: as the backend likes; static */
	const char *persistent; /* 0, 1, or NULL: as the backend likes; static */
	bool timed;             /* timeout_s was said */
	uint32_t timeout_s;     /* request-timeout, seconds; 0: none */
	char *script;           /* as written, the plan makes it absolute; or NULL */
	struct qos_limits qos;
	unsigned line;
};

/** An HVM guest's vif has an emulated card beside it, unless type=vif. */
enum vif_kind { VIF_DEFAULT, VIF_PV_ONLY, VIF_IOEMU };

struct vif_config {
	uint8_t mac[MAC_SIZE];
	bool mac_given;
	char *bridge;
	char *name;   /* of the interface in dom0, or NULL: vifN.DEVID */
	char *script; /* as of a disk */
	char *ip;     /* or NULL */
	enum vif_kind kind;
	char *model;         /* of the emulated card, or NULL */
	int devid;           /* -1: the lowest that is free */
	uint32_t mtu;        /* 0: not said */
	uint64_t rate_bytes; /* per rate_usecs; 0: no limit */
	uint32_t rate_usecs;
	bool trusted;
	unsigned line;
};

struct domain_config {
	char *source;        /* what messages call the file */
	unsigned file_lines; /* a line beyond them came from the command line */
	bool unlined;        /* it was JSON: its lines say nothing to the user */
	char *name;
	uuid_t uuid;
	bool uuid_given;
	enum domain_type type;
	char *kernel;  /* as written; the plan finds the file. NULL: its firmware boots (hvm) */
	char *ramdisk; /* or NULL; a path as of a disk's target */
	char *cmdline; /* never NULL */
	uint64_t memory_kib, maxmem_kib;
	uint32_t vcpus, maxvcpus;
	enum domain_action action[END_COUNT];
	struct disk_config *disk;
	size_t disks;
	struct vif_config *vif;
	size_t vifs;
	struct option_value option[OPTION_COUNT];
	unsigned kernel_line, ramdisk_line, name_line, memory_line, uuid_line;
};

/**
 * domain_config_parse - read the text of an xl.cfg(5) file.
 * @source:    what messages call it
 * @text:      the whole of it; or a config as JSON (docs/xsplit-config.schema.json)
 * @overrides: @count words KEY=VALUE that come after it and win; what does not read as lines of
 *             a file is KEY and a string
 * @config:    filled on success, to be ended with domain_config_free()
 *
 * Return: 0, -EINVAL (@fault has the line), or -ENOMEM.
 */
int domain_config_parse(const char *source, const char *text, char *const *overrides, int count,
			struct domain_config *config, struct fault *fault);

/** domain_config_read - the same from a file, "-" for standard input; -errno of the file. */
int domain_config_read(const char *path, char *const *overrides, int count,
		       struct domain_config *config, struct fault *fault);

/** domain_config_read_json - the same, but -EINVAL for a file that does not begin as JSON does. */
int domain_config_read_json(const char *path, char *const *overrides, int count,
			    struct domain_config *config, struct fault *fault);

void domain_config_free(struct domain_config *config);

/**
 * domain_config_print - write a config so that domain_config_parse() gives the same again.
 * Return: the text, for free(3), or NULL without memory.
 */
char *domain_config_print(const struct domain_config *config);

/**
 * domain_config_extend - the text of a config with one device more.
 * @text:      of domain_config_print(), or of this
 * @disk, @vif: the device; the other is NULL
 * Return: the text, for free(3), or NULL without memory.
 */
char *domain_config_extend(const char *text, const struct disk_config *disk,
			   const struct vif_config *vif);

/**
 * domain_config_place - where a line of a config stands: "guest.cfg:7" or "command line".
 * @line: 0 for the file as a whole
 */
void domain_config_place(const struct domain_config *config, unsigned line, char *text,
			 size_t size);

/**
 * disk_config_parse - one disk specification, xl-disk-configuration(5).
 * @spec:  the words, already joined with commas
 * @place: what messages begin with, "guest.cfg:6: disk 0"
 * @disk:  filled on success, to be ended with disk_config_free()
 */
int disk_config_parse(const char *spec, const char *place, struct disk_config *disk,
		      struct fault *fault);
void disk_config_free(struct disk_config *disk);

/** disk_config_spec - the specification that reads as this disk; the target last. For free(3). */
char *disk_config_spec(const struct disk_config *disk);

/** disk_format_word - "raw", "qcow2", ...: as xl.cfg has them. */
const char *disk_format_word(enum disk_format format);

/**
 * vif_config_parse - one vif specification, xl-network-configuration(5).
 * Arguments as of disk_config_parse().
 */
int vif_config_parse(const char *spec, const char *place, struct vif_config *vif,
		     struct fault *fault);
void vif_config_free(struct vif_config *vif);

/** vif_config_spec - the specification that reads as this vif. For free(3), or NULL. */
char *vif_config_spec(const struct vif_config *vif);

/** domain_config_disk, domain_config_vif - the config's of that number, or NULL. */
struct disk_config *domain_config_disk(const struct domain_config *config, uint32_t number);
struct vif_config *domain_config_vif(const struct domain_config *config, uint32_t devid);

/** domain_config_disk_remove, domain_config_vif_remove - the same out of it, when it is there. */
void domain_config_disk_remove(struct domain_config *config, uint32_t number);
void domain_config_vif_remove(struct domain_config *config, uint32_t devid);

/** vif_config_key - the keys of one, one after the other from @n = 0 on; NULL behind the last. */
const char *vif_config_key(size_t n);

/** domain_type_word - "process", "pv", "pvh", "hvm". */
const char *domain_type_word(enum domain_type type);

/** domain_action_word - "destroy", "restart", "preserve", ... */
const char *domain_action_word(enum domain_action action);

/** domain_end_key - "on_poweroff", ... */
const char *domain_end_key(enum domain_end end);

/** domain_name_check - may a domain be called so? Return: NULL, or what is wrong. */
const char *domain_name_check(const char *name);
