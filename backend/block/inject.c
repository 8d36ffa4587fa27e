#include "backend/block/inject.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"

#define RULE_MAX     200u
#define DELAY_MAX_MS (24u * 60 * 60 * 1000)

#define READ    (1u << ENGINE_READ)
#define WRITE   (1u << ENGINE_WRITE)
#define FLUSH   (1u << ENGINE_FLUSH)
#define DISCARD (1u << ENGINE_DISCARD | 1u << ENGINE_ERASE)

struct word {
	const char *word;
	int value;
};

static const struct word *word_find(const struct word *words, const char *word, size_t length)
{
	for (; words->word; words++)
		if (strlen(words->word) == length && !memcmp(words->word, word, length))
			return words;
	return NULL;
}

static bool ops_parse(const char *value, struct inject_rule *rule)
{
	static const struct word words[] = {
		{"read", READ}, {"write", WRITE}, {"flush", FLUSH}, {"discard", DISCARD}, {0},
	};

	rule->ops = 0;
	for (;;) {
		size_t length = strcspn(value, "/");
		const struct word *word = word_find(words, value, length);

		if (!word)
			return false;
		rule->ops |= (uint32_t)word->value;
		if (!value[length])
			return true;
		value += length + 1;
	}
}

static bool range_parse(const char *value, struct inject_rule *rule)
{
	size_t length = strcspn(value, "-");
	char from[24];

	if (!value[length] || length >= sizeof(from))
		return false;
	memcpy(from, value, length);
	from[length] = '\0';
	return !number_parse(from, INT64_MAX, &rule->start) &&
	       !number_parse(value + length + 1, INT64_MAX, &rule->end) && rule->start < rule->end;
}

static bool after_parse(const char *value, struct inject_rule *rule)
{
	return !number_parse(value, INT64_MAX, &rule->after);
}

static bool count_parse(const char *value, struct inject_rule *rule)
{
	return !number_parse(value, INT64_MAX, &rule->count) && rule->count;
}

static bool chance_parse(const char *value, struct inject_rule *rule)
{
	uint64_t percent;

	if (number_parse(value, 100, &percent) || !percent)
		return false;
	rule->percent = (uint32_t)percent;
	return true;
}

static bool delay_parse(const char *value, struct inject_rule *rule)
{
	size_t digits = strspn(value, "0123456789");
	char number[16];
	uint64_t ms, unit = 1;

	rule->delay_ms = INJECT_FOREVER;
	if (!strcmp(value, "forever"))
		return true;
	if (!strcmp(value + digits, "s"))
		unit = 1000;
	else if (strcmp(value + digits, "ms") != 0)
		return false;
	if (digits >= sizeof(number))
		return false;
	memcpy(number, value, digits);
	number[digits] = '\0';
	if (number_parse(number, DELAY_MAX_MS / unit, &ms) || !ms)
		return false;
	rule->delay_ms = (uint32_t)(ms * unit);
	return true;
}

static bool torn_parse(const char *value, struct inject_rule *rule)
{
	uint64_t bytes;

	if (number_parse(value, 1u << 30, &bytes) || bytes % 512)
		return false;
	rule->torn = (uint32_t)bytes;
	return true;
}

static bool error_parse(const char *value, struct inject_rule *rule)
{
	static const struct word words[] = {
		{"EIO", -EIO},
		{"ENOSPC", -ENOSPC},
		{"ETIMEDOUT", -ETIMEDOUT},
		{"EOPNOTSUPP", -EOPNOTSUPP},
		{"none", 0},
		{0},
	};
	const struct word *word = word_find(words, value, strlen(value));

	if (!word)
		return false;
	rule->rc = word->value;
	rule->ends = 1;
	return true;
}

static const struct {
	const char *key;
	bool (*parse)(const char *value, struct inject_rule *rule);
	const char *right;
} keys[] = {
	{"op", ops_parse, "read, write, flush or discard, several with / between them"},
	{"range", range_parse, "FROM-TO, bytes of the disk, TO itself not"},
	{"after", after_parse, "a number"},
	{"count", count_parse, "a number above 0"},
	{"chance", chance_parse, "1 to 100 percent"},
	{"delay", delay_parse, "Nms or Ns up to a day, or forever"},
	{"torn", torn_parse, "bytes, a multiple of 512"},
	{"error", error_parse, "EIO, ENOSPC, ETIMEDOUT, EOPNOTSUPP or none"},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static int word_parse(char *word, struct inject_rule *rule, char *why, size_t size)
{
	char *value = strchr(word, '=');
	size_t n = 0;

	while (n < KEYS && !(value && strlen(keys[n].key) == (size_t)(value - word) &&
			     !strncmp(keys[n].key, word, (size_t)(value - word))))
		n++;
	if (n == KEYS) {
		snprintf(why, size,
			 "inject: %.40s is not op=, range=, after=, count=, chance=, delay=, torn= "
			 "or error=",
			 word);
		return -EINVAL;
	}
	if (!keys[n].parse(value + 1, rule)) {
		snprintf(why, size, "inject: %.60s is not %s", word, keys[n].right);
		return -EINVAL;
	}
	return 0;
}

/* What was not said, and what does not go together. */
static int rule_finish(struct inject_rule *rule, const char *text, char *why, size_t size)
{
	bool torn = rule->torn != INJECT_WHOLE, ranged = rule->end != UINT64_MAX;
	const char *wrong = NULL;

	if (!rule->ops)
		rule->ops = torn     ? WRITE
			    : ranged ? READ | WRITE | DISCARD
				     : READ | WRITE | FLUSH | DISCARD;
	if (torn && !rule->ends)
		rule->rc = -EIO;
	if (!torn && !rule->rc && !rule->delay_ms)
		wrong = "says no error, delay or torn";
	else if (torn && rule->ops != WRITE)
		wrong = "is torn, which only op=write can be";
	else if (ranged && rule->ops & FLUSH)
		wrong = "has a range, which a flush has not";
	if (wrong) {
		snprintf(why, size, "inject: the rule %.100s %s", text, wrong);
		return -EINVAL;
	}
	rule->ends = 1;
	return 0;
}

static int rule_parse(const char *text, size_t length, struct inject_rule *rule, char *why,
		      size_t size)
{
	char copy[RULE_MAX], *rest = copy, *word, whole[RULE_MAX];
	int rc = 0;

	if (length >= sizeof(copy)) {
		snprintf(why, size, "inject: the rule %.40s... has more than %u characters", text,
			 RULE_MAX - 1);
		return -EINVAL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	memcpy(whole, copy, length + 1);
	rule->end = UINT64_MAX;
	rule->torn = INJECT_WHOLE;
	rule->percent = 100;
	while (!rc && (word = strsep(&rest, ",")))
		rc = word_parse(word, rule, why, size);
	return rc ? rc : rule_finish(rule, whole, why, size);
}

int inject_parse(const char *text, struct inject_rules *rules, char *why, size_t size)
{
	struct inject_rules parsed;
	int rc = 0;

	/* Compared byte by byte, with what is behind the last rule. */
	memset(&parsed, 0, sizeof(parsed));
	while (!rc && *(text += strspn(text, " "))) {
		size_t length = strcspn(text, " ");

		if (parsed.count == INJECT_RULES_MAX) {
			snprintf(why, size, "inject: more than %u rules", INJECT_RULES_MAX);
			return -EINVAL;
		}
		rc = rule_parse(text, length, &parsed.rule[parsed.count++], why, size);
		text += length;
	}
	if (!rc)
		*rules = parsed;
	return rc;
}

static bool fits(const struct inject_rule *rule, enum engine_op op, uint64_t offset,
		 uint64_t length)
{
	if (!(rule->ops & 1u << op))
		return false;
	return op == ENGINE_FLUSH || (offset < rule->end && rule->start < offset + length);
}

const struct inject_rule *inject_judge(const struct inject_rules *rules,
				       uint64_t seen[INJECT_RULES_MAX], enum engine_op op,
				       uint64_t offset, uint64_t length, unsigned percent)
{
	for (unsigned n = 0; n < rules->count && n < INJECT_RULES_MAX; n++) {
		const struct inject_rule *rule = &rules->rule[n];

		if (!fits(rule, op, offset, length))
			continue;
		if (rule->count && seen[n] >= rule->after + rule->count)
			continue;
		if (percent >= rule->percent)
			continue;
		if (seen[n]++ >= rule->after)
			return rule;
	}
	return NULL;
}
