/*
 * settings.h - what of a disk can be set while it runs, as text and as values. Pure.
 *
 * Each setting is a node in the backend's directory of the disk, with the setting's name; one that
 * is missing has its default. The toolstack writes those that it wants different, together with
 * settings-request = a number, in one transaction; the backend does it and answers with
 * settings-reply = "NUMBER ok" or "NUMBER error: words". They are read again at every connect.
 *
 * What is to be done once is a node that the answer removes: resize.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/block/inject.h"
#include "lib/qos.h"

#define SETTINGS_TIMEOUT_MAX 86400u

#define SETTINGS_REQUEST "settings-request"
#define SETTINGS_REPLY   "settings-reply"

/** Supervisor and worker exchange it as it is. */
struct settings {
	bool paused;     /* "paused": 0 or 1; requests are held until it is 0 again */
	bool away;       /* "away": 0 or 1; its image is closed, requests are held until it is 0 */
	bool polling;    /* "polling": 0 or 1, the default; look for requests before sleeping */
	bool persistent; /* "persistent": 0 or 1, the default; keep the pages of a frontend mapped
			    that uses them again */
	struct qos_limits qos; /* "qos": lib/qos.h */
	uint32_t timeout_s;    /* "request-timeout": after so long without an answer it is said that
				  the storage is stuck; 0: never; default 120 */
	struct inject_rules inject; /* "inject": inject.h */
};

enum setting_id {
	SETTING_PAUSED,
	SETTING_AWAY,
	SETTING_POLLING,
	SETTING_PERSISTENT,
	SETTING_QOS,
	SETTING_TIMEOUT,
	SETTING_INJECT,
	SETTINGS
};

struct setting {
	const char *name; /* of the node */

	/**
	 * parse - set this setting's field of @settings.
	 * @why: on failure what is wrong and what would be right
	 * Return: 0 or -EINVAL.
	 */
	int (*parse)(const char *value, struct settings *settings, char *why, size_t size);
};

extern const struct setting settings_table[SETTINGS];

/** settings_default - of a disk whose directory has none of the nodes. */
void settings_default(struct settings *settings);

/** settings_hold - are requests to be held? */
bool settings_hold(const struct settings *settings);

/** settings_same - is there no difference? */
bool settings_same(const struct settings *a, const struct settings *b);

#define SETTINGS_RESIZE "resize"

/** How large a disk shall be. */
struct resize {
	uint64_t size; /* bytes, a multiple of 512; 0: as its image is */
	bool force;    /* even if that is less than it has */
};

/** resize_parse - "look" or bytes, and " force" behind it. Return: 0 or -EINVAL, as a setting. */
int resize_parse(const char *text, struct resize *resize, char *why, size_t size);

/** settings_replied - the number that a settings-reply answers; 0 if it answers none. */
uint32_t settings_replied(const char *reply);
