/*
 * parse.h - inside config/: an xl.cfg(5) text while its values are taken out of it.
 */
#pragma once

#include <stdio.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/config/lines.h"
#include "toolstack/late_xlutil.h"

struct parse {
	XLU_Config *xlu;
	struct key_places places;
	struct domain_config *config;
	struct fault *fault;
	char place[256]; /* of the last parse_place() */
};

/** config_quote - a string as libxlutil reads it again. */
void config_quote(FILE *out, const char *text);

/** parse_place - "guest.cfg:7" of a key's last assignment, "guest.cfg" of a key not there. */
const char *parse_place(struct parse *p, const char *key);

/** parse_line - the line of a key's last assignment, or 0. */
unsigned parse_line(const struct parse *p, const char *key);

/** parse_string - a key's value, the library's own, or NULL when it is not set. */
const char *parse_string(struct parse *p, const char *key);

/** parse_copy - give a field of the config its own copy. Return: 0 or -ENOMEM. */
int parse_copy(struct parse *p, const char *value, char **field);

/** parse_required - copy a key's value; -EINVAL, with an @example, when it has none. */
int parse_required(struct parse *p, const char *key, const char *example, char **field);

/** parse_image - the keys that say what kind of domain it is and what runs in it. */
int parse_image(struct parse *p);

/**
 * parse_values - fill the config from the keys.
 * Return: 0, -EINVAL (the fault is set), or -ENOMEM.
 */
int parse_values(struct parse *p);
