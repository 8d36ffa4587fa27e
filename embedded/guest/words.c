#include "embedded/guest/words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Inside double quotes a backslash takes the meaning of these characters only (POSIX 2.2.3). */
static bool is_escape(const char *at, char quote)
{
	if (*at != '\\' || quote == '\'')
		return false;
	return !quote || (at[1] && strchr("\"\\$`\n", at[1]));
}

/* One word from *line on; moves *line behind it. */
static int word_take(const char **line, char *text, size_t size, size_t *used)
{
	const char *at = *line;
	char quote = '\0';

	for (; *at && (quote || !is_space(*at)); at++) {
		if (*at == quote) {
			quote = '\0';
			continue;
		}
		if (!quote && (*at == '"' || *at == '\'')) {
			quote = *at;
			continue;
		}
		if (is_escape(at, quote) && !*++at)
			return -EINVAL;
		if (*used >= size)
			return -E2BIG;
		text[(*used)++] = *at;
	}
	if (quote)
		return -EINVAL;
	if (*used >= size)
		return -E2BIG;
	text[(*used)++] = '\0';
	*line = at;
	return 0;
}

int words_split(const char *line, char *text, size_t size, size_t *used, size_t *count)
{
	for (;;) {
		int rc;

		while (is_space(*line))
			line++;
		if (!*line)
			return 0;
		rc = word_take(&line, text, size, used);
		if (rc)
			return rc;
		++*count;
	}
}
