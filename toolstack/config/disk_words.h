/*
 * disk_words.h - what of a disk's description libxlutil does not know. Pure.
 *
 * Formats that xl serves no image of, and words for our backend alone, are taken out of the text
 * before libxlutil reads it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/config/domain_config.h"

struct disk_words {
	char *rest;              /* what is for libxlutil, for free(3) */
	enum disk_format format; /* DISK_RAW: none of ours was named */
	uint32_t sector_size;    /* sector-size=512|4096; 0: not said */
	const char *units;       /* legacy-sector-units=0|count|number|all, or NULL; static */
	const char *polling;     /* polling=0|1, or NULL; static */
	const char *persistent;  /* persistent=0|1, or NULL; static */
	bool untrusted;          /* the last of trusted and untrusted */
	bool timed;              /* request-timeout was said */
	uint32_t timeout_s;      /* request-timeout=SECONDS; 0: none */
};

/**
 * disk_words_take - take them out of a specification.
 * @place: what messages begin with
 *
 * Return: 0, -EINVAL with the fault set, or -ENOMEM.
 */
int disk_words_take(const char *spec, const char *place, struct disk_words *words,
		    struct fault *fault);

/** disk_word - those words' keys, one after the other from @n = 0 on; NULL behind the last. */
const char *disk_word(size_t n);

/** disk_target_remote - is it a server's (nbd://, nbd+unix://, nbds://, nbds+unix://, rbd:)? */
bool disk_target_remote(const char *target);
