#include "toolstack/command/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/domain/name.h"
#include "toolstack/json.h"

#define OPTIONS_MAX 16

bool given_has(const struct given *given, char letter)
{
	return given->flags >> (letter - 'a') & 1u;
}

const char *given_value(const struct given *given, char letter)
{
	return given->value[letter - 'a'];
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_count; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int command_help(const struct command *self)
{
	printf("usage: xsplit %s%s%s\n%s. See xsplit-%s(1).\n", self->name, *self->words ? " " : "",
	       self->words, self->summary, self->name);
	return EXIT_DONE;
}

int command_usage(const struct command *self, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "xsplit: %s: ", self->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; usage: xsplit %s%s%s\n", self->name, *self->words ? " " : "",
		self->words);
	return EXIT_USAGE;
}

int command_options(const struct command *self, int argc, char **argv, const struct option *longs,
		    struct given *given)
{
	struct option all[OPTIONS_MAX] = {{"help", no_argument, NULL, 'h'},
					  {"json", no_argument, NULL, 'j'}};
	char letters[OPTIONS_MAX * 2 + 4] = ":h";
	int n = 2, c;

	*given = (struct given){0};
	for (; longs && longs->name; longs++, n++) {
		size_t end = strlen(letters);

		all[n] = *longs;
		letters[end++] = (char)longs->val;
		letters[end++] = longs->has_arg ? ':' : '\0';
		letters[end] = '\0';
	}
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, all, NULL)) != -1) {
		if (c == 'h')
			return command_help(self);
		if (c == ':')
			return command_usage(self, "option %s needs a value", argv[optind - 1]);
		if (c == '?')
			return command_usage(self, "unknown option %s", argv[optind - 1]);
		given->flags |= 1u << (c - 'a');
		given->value[c - 'a'] = optarg;
	}
	return -1;
}

int command_failed(const struct fault *fault, bool json)
{
	yajl_gen out = json ? json_open() : NULL;

	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "error", fault->text);
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		fprintf(stderr, "xsplit: %s\n", fault->text);
	}
	return EXIT_FAILED;
}

int command_on_domain(const struct command *self, int argc, char **argv,
		      int (*what)(struct toolstack *ts, uint16_t domid, struct fault *fault))
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	uint16_t domid;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(self, "give one DOMAIN");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = name_find(&ts, argv[optind], &domid, &fault);
		if (!rc)
			rc = what(&ts, domid, &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}

char *command_spec(int count, char **words)
{
	char *spec = NULL;
	size_t size;
	FILE *out = open_memstream(&spec, &size);

	if (!out)
		return NULL;
	for (int i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? "," : "", words[i]);
	if (fclose(out)) {
		free(spec);
		return NULL;
	}
	return spec;
}

int command_hold(struct toolstack *ts, struct fault *fault)
{
	int rc = interrupt_hold(&ts->interrupt);

	return rc ? fault_set(fault, rc, "cannot hold signals back: %s", strerror(-rc)) : 0;
}
