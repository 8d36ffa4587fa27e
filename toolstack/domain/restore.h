/*
 * restore.h - a saved guest comes back.
 */
#pragma once

#include "toolstack/domain/domain.h"
#include "toolstack/domain/layout.h"

/** restore_memory - fill a new domain with libxc's stream, in a helper; layout->built is set. */
int restore_memory(struct toolstack *ts, struct layout *layout, const struct create_stream *stream,
		   struct fault *fault);

struct restore_how {
	bool paused; /* let it stand still */
	bool debug;  /* print its config first, config_debug() */
};

/**
 * restore_file - make a domain of what save_file() wrote.
 * @config_file: a config to use in place of the saved one, or NULL
 * @domid:       set on success
 * On failure nothing is left of it; the file stays in any case.
 */
int restore_file(struct toolstack *ts, const char *path, const char *config_file,
		 const struct restore_how *how, uint16_t *domid, struct fault *fault);
