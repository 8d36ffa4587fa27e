/*
 * exporter_internal.h - what exporter.c, exporter_rules.c and exporter_files.c share.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "backend/block/exporter.h"
#include "backend/block/source.h"
#include "backend/worker/confine.h"

#define EXPORTER_RULES_MAX (EXPORTER_FILES_MAX + 32)

/** Where certificates are if the address does not say (libnbd's choice for root). */
#define EXPORTER_PKI "/etc/pki/libnbd"

struct exporter {
	const char *user;
	bool sandboxed, read_only;
	struct source source;
	char program[PATH_MAX];
	char folder[SOURCE_PART_SIZE];                          /* of a VMDK; of TLS keys */
	char conf[SOURCE_PART_SIZE], keyring[SOURCE_PART_SIZE]; /* of a Ceph image */
	char file[EXPORTER_FILES_MAX][SOURCE_PART_SIZE]; /* the image, then its backing files */
	unsigned files;
	struct confine_rule rule[EXPORTER_RULES_MAX];
	size_t rules;
};

/** exporter_rules - begin the rules: what any program needs, name services for a @network, and the
 * files, the image itself for writing where @write says so. */
void exporter_rules(struct exporter *exporter, bool network, bool write);

/** exporter_rule - one more; @path is not copied. */
void exporter_rule(struct exporter *exporter, const char *path, enum confine_access access);

/** exporter_confine - by the rules, before exec. @name: of the program. Return: as confine_enter.
 */
int exporter_confine(struct exporter *exporter, const char *name);

/** exporter_folder - the folder that @path is in. */
void exporter_folder(const char *path, char folder[SOURCE_PART_SIZE]);

/**
 * exporter_files_find - what the image is made of, asked of qemu-img, which is .program.
 * Return: 0, or a negative errno after a message.
 */
int exporter_files_find(struct exporter *exporter);

/**
 * exporter_files_hold - have the backing files locked, and give the locks to @supervisor's end.
 *
 * What an image lies on must not change below it, and QEMU sees to that only where nobody shares
 * the image as a server's clients do. The locks are held by the qemu-nbd that we become, and
 * between two of them by the supervisor.
 *
 * Return: 0, -EBUSY: one is being written, or another negative errno; after a message.
 */
int exporter_files_hold(const struct exporter *exporter, int supervisor);
