#include "frontend/core/text.h"

#include <errno.h>
#include <string.h>

struct text text_on(char *data, size_t size)
{
	data[0] = '\0';
	return (struct text){.data = data, .size = size};
}

void text_add(struct text *text, const char *more)
{
	size_t length = strlen(more), room = text->size - 1 - text->length;

	if (length > room) {
		length = room;
		text->cut = true;
	}
	memcpy(text->data + text->length, more, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_add_number(struct text *text, uint64_t number)
{
	char digits[TEXT_NUMBER_SIZE], *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
		*--first = (char)('0' + number % 10);
	while (number /= 10);
	text_add(text, first);
}

int text_path(char *path, size_t size, const char *directory, const char *name)
{
	struct text text = text_on(path, size);

	text_add(&text, directory);
	text_add(&text, "/");
	text_add(&text, name);
	return text.cut ? -ENAMETOOLONG : 0;
}
