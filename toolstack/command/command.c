#include "toolstack/command/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/domain/name.h"
#include "toolstack/json.h"

#define OPTIONS_MAX 24

/* What holds for this run of the program. */
static struct {
	bool json, progress;
} run;

static unsigned letter_index(char letter)
{
	return letter >= 'a' ? (unsigned)(letter - 'a') : (unsigned)(letter - 'A') + 26;
}

bool given_has(const struct given *given, char letter)
{
	return given->flags >> letter_index(letter) & 1u;
}

const char *given_value(const struct given *given, char letter)
{
	return given->value[letter_index(letter)];
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_count; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

void command_run_as(int argc, char **argv, const struct command_globals *globals)
{
	run.progress = globals->progress;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		run.json = run.json || !strcmp(argv[i], "--json");
}

/* Of one option: "-f, --force", "    --json". */
static void option_words(const struct option *option, char words[64])
{
	if (option->val == 'j')
		snprintf(words, 64, "    --%s", option->name);
	else
		snprintf(words, 64, "-%c, --%s", option->val, option->name);
}

static void options_json(yajl_gen out, const struct option *options)
{
	char words[64];

	json_key(out, "options");
	yajl_gen_array_open(out);
	for (; options->name; options++) {
		option_words(options, words);
		json_text(out, words + strspn(words, " "));
	}
	yajl_gen_array_close(out);
}

/* How a command is called. */
static int help(const struct command *self, const struct option *options)
{
	yajl_gen out = run.json ? json_open() : NULL;
	char usage[160], words[64];

	snprintf(usage, sizeof(usage), "xsplit %s%s%s", self->name, *self->words ? " " : "",
		 self->words);
	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "command", self->name);
		json_string(out, "usage", usage);
		json_string(out, "summary", self->summary);
		options_json(out, options);
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		printf("usage: %s\n%s. See xsplit-%s(1).\n", usage, self->summary, self->name);
		for (; options->name; options++) {
			option_words(options, words);
			printf("  %s\n", words);
		}
	}
	return EXIT_DONE;
}

static void error_print(const char *text, bool json)
{
	yajl_gen out = json ? json_open() : NULL;

	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "error", text);
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		fprintf(stderr, "xsplit: %s\n", text);
	}
}

int command_wrong(const char *text)
{
	error_print(text, run.json);
	return EXIT_USAGE;
}

int command_usage(const struct command *self, const char *format, ...)
{
	char what[400], text[800];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s: %s; usage: xsplit %s%s%s", self->name, what, self->name,
		 *self->words ? " " : "", self->words);
	return command_wrong(text);
}

int command_options(const struct command *self, int argc, char **argv, const struct option *longs,
		    struct given *given)
{
	struct option all[OPTIONS_MAX] = {{"help", no_argument, NULL, 'h'},
					  {"json", no_argument, NULL, 'j'}};
	static const char *const arguments[] = {"", ":", "::"};
	char letters[OPTIONS_MAX * 3 + 4] = ":h";
	int n = 2, c;

	*given = (struct given){0};
	for (; longs && longs->name; longs++, n++) {
		size_t end = strlen(letters);

		all[n] = *longs;
		letters[end++] = (char)longs->val;
		snprintf(letters + end, sizeof(letters) - end, "%s", arguments[longs->has_arg]);
	}
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, all, NULL)) != -1) {
		if (c == 'h')
			return help(self, all);
		if (c == ':')
			return command_usage(self, "option %s needs a value", argv[optind - 1]);
		if (c == '?')
			return command_usage(self, "unknown option %s", argv[optind - 1]);
		given->flags |= (uint64_t)1 << letter_index((char)c);
		given->value[letter_index((char)c)] = optarg;
	}
	return -1;
}

int command_failed(const struct fault *fault, bool json)
{
	error_print(fault->text, json);
	return EXIT_FAILED;
}

int command_done(bool json)
{
	if (json)
		puts("{}");
	return EXIT_DONE;
}

int command_end(int rc, const struct fault *fault, bool json)
{
	return rc ? command_failed(fault, json) : command_done(json);
}

static int words_check(const struct command *self, int count, int least, int most)
{
	if (count < least)
		return command_usage(self, "a word is missing");
	if (count > most)
		return command_usage(self, "too many words");
	return -1;
}

/* @named: the first word is DOMAIN */
static int call_run(const struct command *self, int argc, char **argv, const struct option *longs,
		    int least, int most, bool named, int (*what)(struct domain_call *call))
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	struct domain_call call = {.ts = &ts, .given = &given, .fault = &fault};
	int rc, status = command_options(self, argc, argv, longs, &given);

	if (status >= 0)
		return status;
	if (named && optind == argc)
		return command_usage(self, "give a DOMAIN");
	call.count = argc - optind - named;
	call.words = argv + optind + named;
	status = words_check(self, call.count, least, most);
	if (status >= 0)
		return status;
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		if (named)
			rc = name_find(&ts, argv[optind], &call.domid, &fault);
		if (!rc)
			rc = what(&call);
		toolstack_close(&ts);
	}
	if (rc && call.told)
		return EXIT_FAILED;
	return command_end(rc, &fault, given_has(&given, 'j') && (rc || !call.shown));
}

int command_about(const struct command *self, int argc, char **argv, const struct option *longs,
		  int least, int most, int (*what)(struct domain_call *call))
{
	return call_run(self, argc, argv, longs, least, most, true, what);
}

int command_here(const struct command *self, int argc, char **argv, const struct option *longs,
		 int least, int most, int (*what)(struct domain_call *call))
{
	return call_run(self, argc, argv, longs, least, most, false, what);
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

	ts->progress = run.json       ? PROGRESS_NEVER
		       : run.progress ? PROGRESS_ALWAYS
				      : PROGRESS_ON_TERMINAL;
	return rc ? fault_set(fault, rc, "cannot hold signals back: %s", strerror(-rc)) : 0;
}
