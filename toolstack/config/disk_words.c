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

/* A word of the form KEY=VALUE; what is not one of the values allowed is *wrong's. */
static bool value_take(const char *word, const char *key, const char *const *allowed,
		       const char **value, const char **wrong)
{
	size_t length = strlen(key);

	if (strncmp(word, key, length) != 0)
		return false;
	for (; *allowed; allowed++)
		if (!strcmp(word + length, *allowed)) {
			*value = *allowed;
			return true;
		}
	*wrong = word;
	return true;
}

/* One of our backend's own, or one that libxlutil does not know? */
static bool ours_take(const char *word, struct disk_words *words, const char **wrong)
{
	static const char *const sizes[] = {"512", "4096", NULL};
	static const char *const units[] = {"0", "count", "number", "all", NULL};
	static const char timeout[] = "request-timeout=";
	const char *size = NULL;

	if (!strcmp(word, "trusted") || !strcmp(word, "untrusted")) {
		words->untrusted = *word == 'u';
		return true;
	}
	if (value_take(word, "sector-size=", sizes, &size, wrong)) {
		words->sector_size = size && *size == '4' ? 4096 : 512;
		return true;
	}
	if (!strncmp(word, timeout, sizeof(timeout) - 1)) {
		uint64_t seconds = 0;

		if (number_parse(word + sizeof(timeout) - 1, 86400, &seconds))
			*wrong = word;
		words->timed = true;
		words->timeout_s = (uint32_t)seconds;
		return true;
	}
	return value_take(word, "legacy-sector-units=", units, &words->units, wrong);
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
	char *copy = strdup(spec), *rest = copy, *word;
	const char *wrong = NULL;
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
		if (ours_take(word, words, &wrong)) {
			if (wrong)
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
	if (wrong) {
		fault_set(fault, -EINVAL, "%s: %s is not %s", place, wrong,
			  wrong[0] == 's'   ? "512 or 4096"
			  : wrong[0] == 'r' ? "0 to 86400 seconds"
					    : "0, count, number or all");
		free(words->rest);
	}
	free(copy);
	return wrong ? -EINVAL : 0;
}
