#include "toolstack/config/disk_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

static const struct {
	const char *word;
	enum disk_format format;
} formats[] = {
	{"vmdk", DISK_VMDK},
	{"vdi", DISK_VDI},
	{"vpc", DISK_VHD},
};

bool disk_target_remote(const char *target)
{
	static const char *const schemes[] = {"nbd://", "nbd+unix://", "nbds://", "nbds+unix://",
					      "rbd:"};

	for (size_t n = 0; n < sizeof(schemes) / sizeof(schemes[0]); n++)
		if (!strncmp(target, schemes[n], strlen(schemes[n])))
			return true;
	return false;
}

static bool format_take(const char *word, struct disk_words *words)
{
	for (size_t n = 0; n < sizeof(formats) / sizeof(formats[0]); n++)
		if (!strcmp(word, formats[n].word)) {
			words->format = formats[n].format;
			return true;
		}
	return false;
}

static bool trusted_take(const char *value, struct disk_words *words)
{
	words->untrusted = false;
	return true;
}

static bool untrusted_take(const char *value, struct disk_words *words)
{
	words->untrusted = true;
	return true;
}

static bool sector_size_take(const char *value, struct disk_words *words)
{
	if (strcmp(value, "512") != 0 && strcmp(value, "4096") != 0)
		return false;
	words->sector_size = *value == '4' ? 4096 : 512;
	return true;
}

static bool units_take(const char *value, struct disk_words *words)
{
	static const char *const units[] = {"0", "count", "number", "all"};

	for (size_t n = 0; n < sizeof(units) / sizeof(units[0]); n++)
		if (!strcmp(value, units[n])) {
			words->units = units[n];
			return true;
		}
	return false;
}

/* "0" or "1" itself, which outlives @value; NULL: it is neither. */
static const char *bit(const char *value)
{
	return !strcmp(value, "0") ? "0" : !strcmp(value, "1") ? "1" : NULL;
}

static bool polling_take(const char *value, struct disk_words *words)
{
	words->polling = bit(value);
	return words->polling;
}

static bool persistent_take(const char *value, struct disk_words *words)
{
	words->persistent = bit(value);
	return words->persistent;
}

static bool timeout_take(const char *value, struct disk_words *words)
{
	uint64_t seconds;

	if (number_parse(value, 86400, &seconds))
		return false;
	words->timed = true;
	words->timeout_s = (uint32_t)seconds;
	return true;
}

static const struct {
	const char *key;
	const char *wants; /* what its value is; NULL: it is a flag */
	bool (*take)(const char *value, struct disk_words *words);
} ours[] = {
	{"trusted", NULL, trusted_take},
	{"untrusted", NULL, untrusted_take},
	{"sector-size", "512 or 4096", sector_size_take},
	{"legacy-sector-units", "0, count, number or all", units_take},
	{"polling", "0 or 1", polling_take},
	{"persistent", "0 or 1", persistent_take},
	{"request-timeout", "0 to 86400 seconds", timeout_take},
};

const char *disk_word(size_t n)
{
	return n < sizeof(ours) / sizeof(ours[0]) ? ours[n].key : NULL;
}

/* Is the word one of ours? *wants is set when its value is not what it wants. */
static bool ours_take(const char *word, struct disk_words *words, const char **wants)
{
	for (size_t n = 0; n < sizeof(ours) / sizeof(ours[0]); n++) {
		size_t length = strlen(ours[n].key);

		if (strncmp(word, ours[n].key, length) != 0 ||
		    word[length] != (ours[n].wants ? '=' : '\0'))
			continue;
		if (!ours[n].take(word + length + (ours[n].wants != NULL), words))
			*wants = ours[n].wants;
		return true;
	}
	return false;
}

/* One word before target=; what takes its place. */
static const char *word_take(const char *word, unsigned positions, struct disk_words *words)
{
	static const char format[] = "format=";

	if (!strncmp(word, format, sizeof(format) - 1) &&
	    format_take(word + sizeof(format) - 1, words))
		return "format=raw";
	/* The second of those without a name. */
	if (positions == 1 && !strchr(word, '=') && format_take(word, words))
		return "raw";
	return word;
}

int disk_words_take(const char *spec, const char *place, struct disk_words *words,
		    struct fault *fault)
{
	static const char target[] = "target=";
	char *copy = strdup(spec), *rest = copy, *word = NULL;
	const char *wants = NULL;
	unsigned positions = 0;
	size_t size;
	FILE *out;

	*words = (struct disk_words){0};
	out = copy ? open_memstream(&words->rest, &size) : NULL;
	if (!out) {
		free(copy);
		return fault_memory(fault);
	}
	while (rest) {
		rest += strspn(rest, " \t");
		if (!strncmp(rest, target, sizeof(target) - 1)) { /* is all of the rest */
			fprintf(out, "%s", rest);
			break;
		}
		word = strsep(&rest, ",");
		if (ours_take(word, words, &wants)) {
			if (wants)
				break;
			continue;
		}
		fprintf(out, "%s%s", word_take(word, positions, words), rest ? "," : "");
		positions += !strchr(word, '=');
	}
	if (fclose(out)) {
		free(copy);
		free(words->rest);
		return fault_memory(fault);
	}
	if (wants) {
		fault_set(fault, -EINVAL, "%s: %s is not %s", place, word, wants);
		free(words->rest);
	}
	free(copy);
	return wants ? -EINVAL : 0;
}
