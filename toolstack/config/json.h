/*
 * json.h - inside config/: a config as JSON, turned into the text of an xl.cfg(5) file.
 *
 * Pure. Keys are those of xl.cfg(5); disks and vifs are objects whose members are the words of
 * their specifications. docs/xsplit-config.schema.json describes it.
 */
#pragma once

#include <stdbool.h>

#include "toolstack/fault.h"

/** json_is - does a text begin as JSON does? No xl.cfg(5) file does. */
bool json_is(const char *text);

/**
 * json_to_text - one config: an object; what xsplit list -l --json prints of one domain; or an
 * array of one of either.
 * @text: for free(3), on success
 * Return: 0, -EINVAL (the fault says what is wrong), -ENOMEM.
 */
int json_to_text(const char *source, const char *json, char **text, struct fault *fault);
