#include "backend/block/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"

static int bool_parse(const char *name, const char *value, bool *field, char *why, size_t size)
{
	if (strcmp(value, "0") && strcmp(value, "1")) {
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

static int limits_parse(const char *value, struct settings *settings, char *why, size_t size)
{
	return qos_parse(value, &settings->qos, why, size);
}

const struct setting settings_table[SETTINGS] = {
	[SETTING_PAUSED] = {"paused", paused_parse},
	[SETTING_QOS] = {"qos", limits_parse},
};

void settings_default(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
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
