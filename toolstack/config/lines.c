#include "toolstack/config/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
	const char *at;
	unsigned line;
	int depth; /* of brackets */
	struct key_places *places;
};

static bool is_key(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (!first && ((c >= '0' && c <= '9') || c == '_'));
}

static int place_add(struct cursor *c, const char *key, size_t length)
{
	struct key_places *p = c->places;
	struct key_place *grown = realloc(p->place, (p->count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	p->place = grown;
	grown[p->count] = (struct key_place){.key = strndup(key, length), .line = c->line};
	if (!grown[p->count].key)
		return -ENOMEM;
	p->count++;
	return 0;
}

static int item_add(struct cursor *c)
{
	struct key_place *place;
	unsigned *grown;

	if (!c->places->count)
		return 0;
	place = &c->places->place[c->places->count - 1];
	grown = realloc(place->item_line, (place->items + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	place->item_line = grown;
	grown[place->items++] = c->line;
	return 0;
}

static void skip_string(struct cursor *c)
{
	char quote = *c->at++;

	while (*c->at && *c->at != quote && *c->at != '\n')
		c->at += c->at[0] == '\\' && c->at[1] ? 2 : 1;
	if (*c->at == quote)
		c->at++;
}

static void skip_comment(struct cursor *c)
{
	while (*c->at && *c->at != '\n')
		c->at++;
}

static void skip_word(struct cursor *c)
{
	while (is_key(*c->at, false))
		c->at++;
}

/* One token. A list's items are what stands at depth one: strings, numbers, inner lists. */
static int step(struct cursor *c)
{
	const char *start = c->at;
	int rc = 0;

	switch (*c->at) {
	case '\n':
		c->line++;
		c->at++;
		break;
	case '#':
		skip_comment(c);
		break;
	case '"':
	case '\'':
		rc = c->depth == 1 ? item_add(c) : 0;
		skip_string(c);
		break;
	case '[':
		rc = c->depth == 1 ? item_add(c) : 0;
		c->depth++;
		c->at++;
		break;
	case ']':
		c->depth -= c->depth > 0;
		c->at++;
		break;
	case '+':
		if (!c->depth && c->places->count)
			c->places->place[c->places->count - 1].adds = true;
		c->at++;
		break;
	default:
		skip_word(c);
		if (c->at == start)
			c->at++;
		else if (!c->depth && is_key(*start, true))
			rc = place_add(c, start, (size_t)(c->at - start));
		else if (c->depth == 1)
			rc = item_add(c);
	}
	return rc;
}

int lines_find(const char *text, struct key_places *places)
{
	struct cursor c = {.at = text, .line = 1, .places = places};
	int rc = 0;

	*places = (struct key_places){0};
	while (*c.at && !rc)
		rc = step(&c);
	if (rc)
		lines_free(places);
	return rc;
}

void lines_free(struct key_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		free(places->place[i].key);
		free(places->place[i].item_line);
	}
	free(places->place);
	*places = (struct key_places){0};
}

const struct key_place *lines_last(const struct key_places *places, const char *key)
{
	for (size_t i = places->count; i-- > 0;)
		if (!strcmp(places->place[i].key, key))
			return &places->place[i];
	return NULL;
}

unsigned lines_item(const struct key_places *places, const char *key, size_t index)
{
	size_t i, start = 0;

	for (i = 0; i < places->count; i++)
		if (!strcmp(places->place[i].key, key) && !places->place[i].adds)
			start = i;
	for (i = start; i < places->count; i++) {
		const struct key_place *p = &places->place[i];

		if (strcmp(p->key, key) != 0)
			continue;
		if (index < p->items)
			return p->item_line[index];
		index -= p->items;
	}
	return 0;
}
