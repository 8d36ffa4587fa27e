#include "toolstack/argv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void argv_add(struct argv *argv, const char *format, ...)
{
	char *word = NULL, **grown;
	va_list args;

	if (argv->rc)
		return;
	va_start(args, format);
	if (vasprintf(&word, format, args) < 0)
		word = NULL;
	va_end(args);
	grown = word ? realloc(argv->word, (argv->count + 2) * sizeof(*grown)) : NULL;
	if (!grown) {
		free(word);
		argv->rc = -ENOMEM;
		return;
	}
	argv->word = grown;
	grown[argv->count++] = word;
	grown[argv->count] = NULL;
}

void argv_pair(struct argv *argv, const char *option, const char *value)
{
	argv_add(argv, "%s", option);
	argv_add(argv, "%s", value);
}

void argv_free(struct argv *argv)
{
	for (size_t i = 0; i < argv->count; i++)
		free(argv->word[i]);
	free(argv->word);
	*argv = (struct argv){0};
}
