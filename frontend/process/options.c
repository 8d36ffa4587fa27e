#include "frontend/process/options.h"

#include <errno.h>
#include <string.h>

#include "frontend/process/link.h"

/* The value of "NAME=VALUE", or NULL. */
static const char *value_of(const char *word, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) != 0 || word[length] != '=')
		return NULL;
	return word + length + 1;
}

static const char **card_of(struct options *options, const char *word, const char **value)
{
	char name[] = "ip0";

	*value = value_of(word, "ip");
	if (*value)
		return &options->address[0];
	for (int i = 0; i < OPTIONS_CARDS; i++) {
		name[2] = (char)('0' + i);
		*value = value_of(word, name);
		if (*value)
			return &options->address[i];
	}
	return NULL;
}

static int word_parse(const char *word, struct options *options)
{
	const char *value, **field = card_of(options, word, &value);

	if (!field) {
		value = value_of(word, "gw");
		field = value ? &options->gateway : NULL;
	}
	if (!field)
		return -EINVAL;
	if (*field)
		return -EEXIST;
	if (!link_address_valid(value))
		return -EADDRNOTAVAIL;
	*field = value;
	return 0;
}

int options_parse(int argc, char **argv, struct options *options, const char **bad)
{
	for (int i = 1; i < argc; i++) {
		int rc = word_parse(argv[i], options);

		if (rc) {
			*bad = argv[i];
			return rc;
		}
	}
	return 0;
}
