#include "backend/block/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"

static int bool_parse(const char *name, const char *value, bool *field, char *why, size_t size)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
		snprintf(why, size, "%s is %.32s, not 0 or 1", name, value);
		return -EINVAL;
	}
	*field = value[0] == '1';
	return 0;
}

static int paused_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	return bool_parse("paused", value, &settings->paused, why, size);
}

static int away_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	return bool_parse("away", value, &settings->away, why, size);
}

static int polling_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	return bool_parse("polling", value, &settings->polling, why, size);
}

static int persistent_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	return bool_parse("persistent", value, &settings->persistent, why, size);
}

static int limits_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	return qos_parse(value, &settings->qos, why, size);
}

static int timeout_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	uint64_t seconds;

	if (number_parse(value, SETTINGS_TIMEOUT_MAX, &seconds)) {
		snprintf(why, size, "request-timeout is %.32s, not 0 to %u seconds", value,
			 SETTINGS_TIMEOUT_MAX);
		return -EINVAL;
	}
	settings->timeout_s = (uint32_t)seconds;
	return 0;
}

static int faults_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	return inject_parse(value, &settings->inject, why, size);
}

const struct setting settings_table[SETTINGS] = {
	[SETTING_PAUSED] = {"paused", paused_parse},
	[SETTING_AWAY] = {"away", away_parse},
	[SETTING_POLLING] = {"polling", polling_parse},
	[SETTING_PERSISTENT] = {"persistent", persistent_parse},
	[SETTING_QOS] = {"qos", limits_parse},
	[SETTING_TIMEOUT] = {"request-timeout", timeout_parse},
	[SETTING_INJECT] = {"inject", faults_parse},
};

void settings_default(struct settings *settings)
{
	*settings = (struct settings){.polling = true, .persistent = true, .timeout_s = 120};
}

bool settings_hold(const struct settings *settings)
{
	return settings->paused || settings->away;
}

bool settings_same(const struct settings *a, const struct settings *b)
{
	return a->paused == b->paused && a->away == b->away && a->polling == b->polling &&
	       a->persistent == b->persistent && a->timeout_s == b->timeout_s &&
	       !memcmp(&a->inject, &b->inject, sizeof(a->inject)) &&
	       !memcmp(&a->qos, &b->qos, sizeof(a->qos));
}

int resize_parse(const char *text, struct resize *resize, char *why, size_t size)
{
	struct resize parsed = {0};
	size_t length = strcspn(text, " ");
	char bytes[24] = "";

	parsed.force = text[length] != '\0';
	if (length < sizeof(bytes) && (!parsed.force || !strcmp(text + length, " force"))) {
		memcpy(bytes, text, length);
		bytes[length] = '\0';
	}
	if (strcmp(bytes, "look") != 0 &&
	    (number_parse(bytes, INT64_MAX, &parsed.size) || !parsed.size || parsed.size % 512)) {
		snprintf(why, size,
			 "resize is %.40s, not look or a number of bytes, a multiple of 512, and "
			 "perhaps force behind it",
			 text);
		return -EINVAL;
	}
	*resize = parsed;
	return 0;
}

uint32_t settings_replied(const char *reply)
{
	size_t length = strcspn(reply, " ");
	char digits[16];
	uint32_t number;

	if (length >= sizeof(digits))
		return 0;
	memcpy(digits, reply, length);
	digits[length] = '\0';
	return number_parse_u32(digits, &number) ? 0 : number;
}
