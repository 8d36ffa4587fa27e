#include "toolstack/config/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/config/json.h"
#include "toolstack/config/keys.h"

/** The largest file that is read: far above any guest of DEVICES_MAX disks and vifs. */
#define CONFIG_SIZE_MAX (1u << 20)

void domain_config_place(const struct domain_config *config, unsigned line, char *text, size_t size)
{
	if (line > config->file_lines)
		snprintf(text, size, "command line");
	else if (line && !config->unlined)
		snprintf(text, size, "%s:%u", config->source, line);
	else
		snprintf(text, size, "%s", config->source);
}

unsigned parse_line(const struct parse *p, const char *key)
{
	const struct key_place *place = lines_last(&p->places, key);

	return place ? place->line : 0;
}

const char *parse_place(struct parse *p, const char *key)
{
	domain_config_place(p->config, parse_line(p, key), p->place, sizeof(p->place));
	return p->place;
}

/*
 * What libxlutil reports, "SOURCE:LINE: config parsing error WORDS", with a line that it counts
 * one too low when the error is the line's end.
 */
static int syntax_fault(struct parse *p, const char *report)
{
	static const char noise[] = "config parsing error ";
	const char *words = strstr(report, noise);
	size_t source = strlen(p->config->source);
	unsigned line = 0;

	if (!words || strncmp(report, p->config->source, source) != 0 ||
	    sscanf(report + source, ":%u:", &line) != 1)
		return fault_set(p->fault, -EINVAL, "%s", report);
	words += sizeof(noise) - 1;
	if (!strncmp(words, "near <newline>", 14))
		line++;
	domain_config_place(p->config, line, p->place, sizeof(p->place));
	return fault_set(p->fault, -EINVAL, "%s: syntax error %.*s; see xl.cfg(5)", p->place,
			 (int)strcspn(words, "\n"), words);
}

static int library_read(struct parse *p, const char *text)
{
	char *report = NULL;
	size_t size;
	FILE *stream = open_memstream(&report, &size);
	int rc;

	p->xlu = stream ? xlu_cfg_init(stream, p->config->source) : NULL;
	rc = p->xlu ? xlu_cfg_readdata(p->xlu, text, (int)strlen(text)) : ENOMEM;
	if (stream)
		fclose(stream);
	if (rc && rc != EINVAL)
		rc = fault_memory(p->fault);
	else if (rc)
		rc = syntax_fault(p, report);
	free(report);
	return rc;
}

static int key_check(struct parse *p, const struct key_place *place)
{
	enum key_kind kind = key_kind(place->key);
	bool is_list = !xlu_cfg_get_list(p->xlu, place->key, NULL, NULL, 1);
	char where[sizeof(p->place)];
	enum domain_option option;
	const char *nearest;

	domain_config_place(p->config, place->line, where, sizeof(where));
	/* Of an option that is one value: the same. */
	if (kind == KEY_OPTION && option_find(place->key, &option))
		kind = option_kind(option) == OPTION_IS_TEXTS ? KEY_OPTION : KEY_STRING;
	switch (kind) {
	case KEY_OPTION:
		return 0;
	case KEY_STRING:
		if (is_list)
			return fault_set(p->fault, -EINVAL,
					 "%s: %s is one value, not a list; remove the brackets",
					 where, place->key);
		return 0;
	case KEY_LIST:
		if (!is_list)
			return fault_set(p->fault, -EINVAL,
					 "%s: %s is a list; write %s=['...', '...']", where,
					 place->key, place->key);
		return 0;
	case KEY_REFUSED:
		return fault_set(p->fault, -EINVAL,
				 "%s: key \"%s\" is not supported by this version; remove it",
				 where, place->key);
	case KEY_UNKNOWN:
	default:
		nearest = key_nearest(place->key);
		return fault_set(p->fault, -EINVAL, "%s: unknown key \"%s\"; %s%s%s", where,
				 place->key, nearest ? "did you mean \"" : "see xsplit.cfg(5)",
				 nearest ? nearest : "", nearest ? "\"?" : "");
	}
}

static int keys_check(struct parse *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->places.count && !rc; i++)
		rc = key_check(p, &p->places.place[i]);
	return rc;
}

/* Does it read as lines of a file, 'memory=128; vcpus=2' among them? */
static bool is_text(const char *word)
{
	FILE *nowhere = fopen("/dev/null", "we");
	XLU_Config *xlu = nowhere ? xlu_cfg_init(nowhere, "word") : NULL;
	bool reads = xlu && !xlu_cfg_readdata(xlu, word, (int)strlen(word));

	if (xlu)
		xlu_cfg_destroy(xlu);
	if (nowhere)
		fclose(nowhere);
	return reads;
}

static void override_print(FILE *stream, const char *word)
{
	const char *value = strchr(word, '=') + 1;

	if (*value && is_text(word)) {
		fprintf(stream, "%s\n", word);
		return;
	}
	fprintf(stream, "%.*s\"", (int)(value - word), word);
	for (; *value; value++)
		fprintf(stream, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	fprintf(stream, "\"\n");
}

/* The file's text and, behind it, the words of the command line as further lines. */
static char *text_join(struct parse *p, const char *text, char *const *overrides, int count)
{
	char *joined = NULL;
	size_t size, length = strlen(text);
	FILE *stream = open_memstream(&joined, &size);

	if (!stream)
		return NULL;
	fputs(text, stream);
	if (length && text[length - 1] != '\n')
		fputc('\n', stream);
	for (int i = 0; i < count; i++)
		override_print(stream, overrides[i]);
	if (fclose(stream)) {
		free(joined);
		return NULL;
	}
	for (p->config->file_lines = 0; *text; text++)
		p->config->file_lines += *text == '\n' || !text[1];
	return joined;
}

static int overrides_check(char *const *overrides, int count, struct fault *fault)
{
	for (int i = 0; i < count; i++) {
		size_t key = strspn(overrides[i], "abcdefghijklmnopqrstuvwxyz0123456789_");

		if (!key || overrides[i][key] != '=' || strchr(overrides[i], '\n'))
			return fault_set(fault, -EINVAL,
					 "command line: \"%s\" is no KEY=VALUE of xsplit.cfg(5); "
					 "write for example memory=128",
					 overrides[i]);
	}
	return 0;
}

static int text_parse(struct parse *p, const char *text, char *const *overrides, int count)
{
	char *joined = text_join(p, text, overrides, count);
	int rc;

	if (!joined)
		return fault_memory(p->fault);
	rc = library_read(p, joined);
	if (!rc && lines_find(joined, &p->places))
		rc = fault_memory(p->fault);
	if (!rc)
		rc = keys_check(p);
	if (!rc)
		rc = parse_values(p);
	lines_free(&p->places);
	free(joined);
	return rc;
}

int domain_config_parse(const char *source, const char *text, char *const *overrides, int count,
			struct domain_config *config, struct fault *fault)
{
	struct parse p = {.config = config, .fault = fault};
	char *converted = NULL;
	int rc;

	*config = (struct domain_config){.source = strdup(source), .unlined = json_is(text)};
	rc = config->source ? overrides_check(overrides, count, fault) : fault_memory(fault);
	if (!rc && config->unlined)
		rc = json_to_text(source, text, &converted, fault);
	if (!rc)
		rc = text_parse(&p, converted ? converted : text, overrides, count);
	if (p.xlu)
		xlu_cfg_destroy(p.xlu);
	free(converted);
	if (rc)
		domain_config_free(config);
	return rc;
}

/* Return: the whole file as a string, or NULL with errno set (EFBIG, EINVAL for a NUL byte). */
static char *file_read(FILE *file)
{
	char *text = malloc(CONFIG_SIZE_MAX + 1);
	size_t length;

	if (!text)
		return NULL;
	length = fread(text, 1, CONFIG_SIZE_MAX + 1, file);
	if (ferror(file)) {
		free(text);
		return NULL;
	}
	if (length > CONFIG_SIZE_MAX || memchr(text, '\0', length)) {
		errno = length > CONFIG_SIZE_MAX ? EFBIG : EINVAL;
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

typedef int (*text_reader)(const char *source, const char *text, char *const *overrides, int count,
			   struct domain_config *config, struct fault *fault);

static int read_with(text_reader reader, const char *path, char *const *overrides, int count,
		     struct domain_config *config, struct fault *fault)
{
	bool standard = !strcmp(path, "-");
	const char *source = standard ? "standard input" : path;
	FILE *file = standard ? stdin : fopen(path, "re");
	char *text = file ? file_read(file) : NULL;
	int rc;

	if (text)
		rc = reader(source, text, overrides, count, config, fault);
	else if (errno == EINVAL)
		rc = fault_set(fault, -EINVAL, "%s: holds a NUL byte; give an xl.cfg(5) text file",
			       source);
	else
		rc = fault_set(fault, -errno, "%s: cannot read it: %s", source, strerror(errno));
	if (file && !standard)
		fclose(file);
	free(text);
	return rc;
}

int domain_config_read(const char *path, char *const *overrides, int count,
		       struct domain_config *config, struct fault *fault)
{
	return read_with(domain_config_parse, path, overrides, count, config, fault);
}

static int json_parse(const char *source, const char *text, char *const *overrides, int count,
		      struct domain_config *config, struct fault *fault)
{
	return json_is(text) ? domain_config_parse(source, text, overrides, count, config, fault)
			     : fault_set(fault, -EINVAL,
					 "%s: is no JSON, it begins with neither { nor [; leave "
					 "--json-config out for an xl.cfg(5) file",
					 source);
}

int domain_config_read_json(const char *path, char *const *overrides, int count,
			    struct domain_config *config, struct fault *fault)
{
	return read_with(json_parse, path, overrides, count, config, fault);
}
