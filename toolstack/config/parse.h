/*
 * parse.h - inside config/: an xl.cfg(5) text while its values are taken out of it.
 */
#pragma once

#include <libxlutil.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/config/lines.h"

struct parse {
	XLU_Config *xlu;
	struct key_places places;
	struct domain_config *config;
	struct fault *fault;
	char place[256]; /* of the last parse_place() */
};

/** parse_place - "guest.cfg:7" of a key's last assignment, "guest.cfg" of a key not there. */
const char *parse_place(struct parse *p, const char *key);

/** parse_line - the line of a key's last assignment, or 0. */
unsigned parse_line(const struct parse *p, const char *key);

/**
 * parse_values - fill the config from the keys.
 * Return: 0, -EINVAL (the fault is set), or -ENOMEM.
 */
int parse_values(struct parse *p);
