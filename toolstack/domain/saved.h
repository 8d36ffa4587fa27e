/*
 * saved.h - the form of a saved domain, in a file or on its way to another host.
 *
 * It is xl's, so that xl restore takes it: xl's header (xl_vmcontrol.c) with the config as
 * xl.cfg(5) text, then libxl's stream (docs/specs/libxl-migration-stream.pandoc), in which libxc's
 * is one record and the state of a device model another. What xl saves has its config in another
 * form, as libxl's JSON, and is refused by name.
 *
 * Whoever wrote it may have made mistakes or worse: every length is checked before use.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "toolstack/fault.h"

/** The longest config that is read. */
#define SAVED_CONFIG_MAX (1u << 20)
/** The largest state of a device model: its graphics memory is the guest's. */
#define SAVED_MODEL_MAX  (64u << 20)

enum saved_record {
	SAVED_END = 0,
	SAVED_LIBXC = 1, /* libxc's stream follows; it knows its own end */
	SAVED_MODEL_STORE = 2,
	SAVED_MODEL = 3,
};

/** saved_head_write - what comes before libxc's stream. Return: 0 or -errno. */
int saved_head_write(int fd, const char *config);

/**
 * saved_head_read - up to libxc's stream.
 * @what:   what messages call it
 * @config: set on success, for free(3)
 */
int saved_head_read(int fd, const char *what, char **config, struct fault *fault);

/**
 * saved_tail_write - what comes after it.
 * @state_fd: a device model's state, @size bytes from its beginning; or -1
 */
int saved_tail_write(int fd, int state_fd, uint64_t size);

/**
 * saved_tail_read - to the end.
 * @state_fd: set to a memory file with the device model's state at its beginning, or -1
 */
int saved_tail_read(int fd, const char *what, int *state_fd, struct fault *fault);
