/* mem-set and mem-max. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/resize.h"

/* As xl: a number of MiB, or of what the letter behind it says. */
static int size_read(const char *text, uint64_t *kib, struct fault *fault)
{
	static const struct {
		char letter;
		int shift;
	} units[] = {{'t', 30}, {'g', 20}, {'m', 10}, {'k', 0}, {'b', -10}};
	size_t length = strlen(text);
	char digits[24];
	int shift = 10;

	for (size_t i = 0; length && i < sizeof(units) / sizeof(units[0]); i++)
		if (tolower((unsigned char)text[length - 1]) == units[i].letter) {
			shift = units[i].shift;
			length--;
			break;
		}
	if (length && length < sizeof(digits)) {
		memcpy(digits, text, length);
		digits[length] = '\0';
		if (!number_parse(digits, UINT64_MAX >> (shift > 0 ? shift : 0), kib)) {
			*kib = shift < 0 ? *kib >> -shift : *kib << shift;
			return 0;
		}
	}
	return fault_set(fault, -EINVAL,
			 "\"%s\" is no size; write MiB, or a number with k, m, g or t behind it",
			 text);
}

static int resize(struct domain_call *call, int (*how)(struct toolstack *ts, uint16_t domid,
						       uint64_t kib, struct fault *fault))
{
	uint64_t kib = 0;
	int rc = size_read(call->words[0], &kib, call->fault);

	return rc ? rc : how(call->ts, call->domid, kib, call->fault);
}

static int set(struct domain_call *call)
{
	return resize(call, resize_memory);
}

static int max(struct domain_call *call)
{
	return resize(call, resize_maximum);
}

int command_mem_set(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 1, 1, set);
}

int command_mem_max(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 1, 1, max);
}
