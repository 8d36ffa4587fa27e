#include "lib/qos.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"

static const char *const names[QOS_LIMITS] = {
	[QOS_IOPS] = "iops",   [QOS_READ_IOPS] = "read-iops",   [QOS_WRITE_IOPS] = "write-iops",
	[QOS_BYTES] = "bytes", [QOS_READ_BYTES] = "read-bytes", [QOS_WRITE_BYTES] = "write-bytes",
};

static const char *const parts[] = {"", "-burst", "-burst-seconds"};

#define KEY_SIZE 32

static void key_name(int n, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%s%s", names[n / 3], parts[n % 3]);
}

static uint64_t *value_of(struct qos_limits *limits, int n)
{
	struct qos_limit *limit = &limits->limit[n / 3];

	return n % 3 == 0 ? &limit->rate : n % 3 == 1 ? &limit->burst : &limit->seconds;
}

/* A key's number, or -1. */
static int key_find(const char *key)
{
	char name[KEY_SIZE];

	for (int n = 0; n < QOS_LIMITS * 3; n++) {
		key_name(n, name);
		if (!strcmp(name, key))
			return n;
	}
	return -1;
}

int qos_is_key(const char *key)
{
	return key_find(key) >= 0;
}

int qos_set(struct qos_limits *limits, const char *word, char *why, size_t size)
{
	const char *equals = strchr(word, '=');
	char key[KEY_SIZE] = "";
	uint64_t value;
	int n = -1, rc;

	if (equals && (size_t)(equals - word) < sizeof(key)) {
		memcpy(key, word, (size_t)(equals - word));
		key[equals - word] = '\0';
		n = key_find(key);
	}
	if (n < 0) {
		snprintf(why, size,
			 "qos: %.40s is not [read-|write-]iops|bytes[-burst|-burst-seconds]=NUMBER",
			 word);
		return -EINVAL;
	}
	rc = number_parse_size(equals + 1, n % 3 == 2 ? QOS_SECONDS_MAX : QOS_RATE_MAX, &value);
	if (rc) {
		snprintf(why, size,
			 "qos: %s=%.20s is not a number up to %" PRIu64
			 " (K, M, G, T may follow it)",
			 key, equals + 1, (uint64_t)(n % 3 == 2 ? QOS_SECONDS_MAX : QOS_RATE_MAX));
		return -EINVAL;
	}
	*value_of(limits, n) = value;
	return 0;
}

int qos_check(const struct qos_limits *limits, char *why, size_t size)
{
	for (int n = 0; n < QOS_LIMITS; n++) {
		const struct qos_limit *limit = &limits->limit[n];

		if (limit->burst && limit->burst <= limit->rate)
			snprintf(why, size, "qos: %s-burst=%" PRIu64 " is not above %s=%" PRIu64,
				 names[n], limit->burst, names[n], limit->rate);
		else if (limit->burst && !limit->rate)
			snprintf(why, size, "qos: %s-burst needs %s, the limit between bursts",
				 names[n], names[n]);
		else if (limit->seconds && !limit->burst)
			snprintf(why, size, "qos: %s-burst-seconds needs %s-burst", names[n],
				 names[n]);
		else
			continue;
		return -EINVAL;
	}
	return 0;
}

int qos_parse(const char *text, struct qos_limits *limits, char *why, size_t size)
{
	struct qos_limits parsed = {0};
	int rc = 0;

	while (!rc && *text) {
		size_t length = strcspn(text, ",");
		char word[64];

		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		if (length >= sizeof(word)) {
			snprintf(why, size, "qos: %s... is too long", word);
			return -EINVAL;
		}
		rc = qos_set(&parsed, word, why, size);
		text += length + (text[length] == ',');
	}
	if (!rc)
		rc = qos_check(&parsed, why, size);
	if (!rc)
		*limits = parsed;
	return rc;
}

void qos_each(const struct qos_limits *limits,
	      void (*each)(void *arg, const char *key, uint64_t value), void *arg)
{
	struct qos_limits copy = *limits;
	char key[KEY_SIZE];

	for (int n = 0; n < QOS_LIMITS * 3; n++) {
		key_name(n, key);
		each(arg, key, *value_of(&copy, n));
	}
}

static void word_print(void *arg, const char *key, uint64_t value)
{
	char *text = arg;
	size_t end = strlen(text);

	if (value)
		snprintf(text + end, QOS_TEXT_SIZE - end, "%s%s=%" PRIu64, end ? "," : "", key,
			 value);
}

void qos_print(const struct qos_limits *limits, char text[QOS_TEXT_SIZE])
{
	text[0] = '\0';
	qos_each(limits, word_print, text);
}
