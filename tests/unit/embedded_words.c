/* A guest's command line becomes its program's arguments: embedded/guest/words.h. */
#include <errno.h>
#include <string.h>

#include "embedded/guest/words.h"
#include "tests/unit/check.h"

static const struct {
	const char *what, *line;
	int rc;
	const char *words[4];
} lines[] = {
	{"nothing", "", 0, {0}},
	{"only spaces", " \t\n ", 0, {0}},
	{"two words", "a bc", 0, {"a", "bc"}},
	{"spaces around", "  a   bc ", 0, {"a", "bc"}},
	{"single quotes keep all", "'a \"b\\ c'", 0, {"a \"b\\ c"}},
	{"double quotes keep spaces", "\"a  b\" c", 0, {"a  b", "c"}},
	{"double quotes expand nothing", "\"$HOME *\"", 0, {"$HOME *"}},
	{"an escape in double quotes", "\"a\\\"b\\\\\"", 0, {"a\"b\\"}},
	{"no escape in double quotes", "\"a\\n\"", 0, {"a\\n"}},
	{"a backslash outside", "a\\ b \\'", 0, {"a b", "'"}},
	{"quotes within a word", "a'b c'd", 0, {"ab cd"}},
	{"an empty word", "a '' b", 0, {"a", "", "b"}},
	{"nothing is expanded", "~ $x `y` a*", 0, {"~", "$x", "`y`", "a*"}},
	{"an open single quote", "a 'b", -EINVAL, {0}},
	{"an open double quote", "\"b", -EINVAL, {0}},
	{"a backslash at the end", "a\\", -EINVAL, {0}},
	{"just fits", "0123456 01234567890123456789012", 0, {"0123456", "01234567890123456789012"}},
	{"one too long", "0123456 012345678901234567890123", -E2BIG, {0}},
};

START_TEST(split)
{
	char text[32];
	const char *word = text;
	size_t used = 0, count = 0, wanted = 0;
	int rc = words_split(lines[_i].line, text, sizeof(text), &used, &count);

	ck_assert_msg(rc == lines[_i].rc, "%s: %d", lines[_i].what, rc);
	if (rc)
		return;
	for (; wanted < 4 && lines[_i].words[wanted]; wanted++) {
		ck_assert_msg(wanted < count && !strcmp(word, lines[_i].words[wanted]),
			      "%s: word %zu", lines[_i].what, wanted);
		word += strlen(word) + 1;
	}
	ck_assert_msg(count == wanted, "%s: %zu words", lines[_i].what, count);
	ck_assert_msg(used == (size_t)(word - text), "%s: %zu bytes", lines[_i].what, used);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("embedded_words");
	TCase *tcase = tcase_create("words");

	tcase_add_loop_test(tcase, split, 0, TABLE_SIZE(lines));
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
