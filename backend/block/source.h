/*
 * source.h - what a disk's params name, as text and as parts. Pure.
 *
 *   null:BYTES                          no storage at all, for measurements
 *   /PATH                               a raw image or a block device
 *   FORMAT:/PATH                        an image of another format, served by a qemu-nbd of ours
 *   nbd://HOST[:PORT][/EXPORT]          an NBD server
 *   nbd+unix:///[EXPORT]?socket=PATH    the same on a Unix socket
 *   nbds://..., nbds+unix://...         the same with TLS, which a qemu-nbd of ours speaks;
 *                                       &tls-certificates=FOLDER and &tls-psk-file=FILE as in
 *                                       the NBD project's doc/uri.md and libnbd(3)
 *   rbd:POOL/IMAGE[:OPTION=VALUE...]    a Ceph image, through a qemu-nbd of ours
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Room for each part, with its NUL. */
#define SOURCE_PART_SIZE 1024u

enum source_kind {
	SOURCE_NULL,
	SOURCE_RAW,   /* path */
	SOURCE_IMAGE, /* format, path */
	SOURCE_NBD,   /* host and port, or socket; export */
	SOURCE_NBDS,  /* the same and certificates or psk, or neither */
	SOURCE_RBD,   /* path: the whole of it */
};

struct source {
	enum source_kind kind;
	const char *format; /* QEMU's word for it; static */
	char path[SOURCE_PART_SIZE];
	char host[256], port[8];
	char socket[SOURCE_PART_SIZE];
	char export[256];
	char certificates[SOURCE_PART_SIZE], psk[SOURCE_PART_SIZE];
};

/**
 * source_parse - take params apart.
 * @why: @size bytes: on failure what is wrong with it and what would be right
 *
 * Return: 0 or -EINVAL.
 */
int source_parse(const char *params, struct source *source, char *why, size_t size);

/** source_remote - is it behind an NBD connection (of a server's, or of a qemu-nbd of ours)? */
bool source_remote(const struct source *source);

/** source_qemu - does it need a qemu-nbd of ours? */
bool source_qemu(const struct source *source);

/**
 * source_rbd_option - the value of an option of a SOURCE_RBD, as QEMU reads it: a backslash takes
 * the byte behind it as it is; of an option that is named twice, the last counts.
 * @name: such as "keyring"
 *
 * Return: is there one, not empty?
 */
bool source_rbd_option(const struct source *source, const char *name, char value[SOURCE_PART_SIZE]);

/** source_network - does that need the network? */
bool source_network(const struct source *source);
