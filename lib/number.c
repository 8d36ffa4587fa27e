#include "lib/number.h"

#include <errno.h>
#include <string.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

int number_parse(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t total = 0;
	unsigned base = 10;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned digit = (unsigned)digit_value(*text);

		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(total, base, &total) ||
		    __builtin_add_overflow(total, digit, &total) || total > max)
			return -ERANGE;
	}
	*value = total;
	return 0;
}

int number_parse_u32(const char *text, uint32_t *value)
{
	uint64_t wide;
	int rc = number_parse(text, UINT32_MAX, &wide);

	if (!rc)
		*value = (uint32_t)wide;
	return rc;
}

int number_parse_u16(const char *text, uint16_t *value)
{
	uint64_t wide;
	int rc = number_parse(text, UINT16_MAX, &wide);

	if (!rc)
		*value = (uint16_t)wide;
	return rc;
}

int number_parse_size(const char *text, uint64_t max, uint64_t *value)
{
	static const char units[] = "kmgt";
	size_t length = strlen(text);
	const char *unit = length ? strchr(units, text[length - 1] | 0x20) : NULL;
	char digits[24];
	uint64_t number;
	int rc;

	length -= unit != NULL;
	if (length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	rc = number_parse(digits, UINT64_MAX, &number);
	if (rc)
		return rc;
	for (int n = unit ? (int)(unit - units) + 1 : 0; n; n--)
		if (__builtin_mul_overflow(number, 1024, &number))
			return -ERANGE;
	if (number > max)
		return -ERANGE;
	*value = number;
	return 0;
}
