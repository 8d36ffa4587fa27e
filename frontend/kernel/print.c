#include "frontend/kernel/print.h"

#include <stdint.h>

#include "frontend/kernel/console.h"

struct out {
	char *text;
	size_t size, length;
};

static void put(struct out *out, char c)
{
	if (out->length + 1 < out->size)
		out->text[out->length++] = c;
}

static void put_text(struct out *out, const char *text)
{
	while (*text)
		put(out, *text++);
}

static void put_number(struct out *out, uint64_t number, unsigned base, unsigned width)
{
	char digits[24];
	unsigned at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	while (sizeof(digits) - at < width && at)
		digits[--at] = '0';
	while (at < sizeof(digits))
		put(out, digits[at++]);
}

static void put_signed(struct out *out, int64_t number)
{
	if (number < 0)
		put(out, '-');
	put_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number, 10, 0);
}

static uint64_t next_unsigned(va_list *args, unsigned longs)
{
	return longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
}

size_t print_text(char *text, size_t size, const char *format, va_list list)
{
	struct out out = {text, size, 0};
	unsigned width, longs;
	va_list args;

	va_copy(args, list);
	for (; *format; format++) {
		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		width = longs = 0;
		while (*++format >= '0' && *format <= '9')
			width = width * 10 + (unsigned)(*format - '0');
		for (; *format == 'l'; format++)
			longs++;
		switch (*format) {
		case 's':
			put_text(&out, va_arg(args, const char *));
			break;
		case 'c':
			put(&out, (char)va_arg(args, int));
			break;
		case 'd':
			put_signed(&out, longs ? va_arg(args, long) : va_arg(args, int));
			break;
		case 'u':
			put_number(&out, next_unsigned(&args, longs), 10, width);
			break;
		case 'x':
			put_number(&out, next_unsigned(&args, longs), 16, width);
			break;
		default:
			put(&out, *format);
			break;
		}
	}
	va_end(args);
	if (size)
		text[out.length] = '\0';
	return out.length;
}

size_t print_into(char *text, size_t size, const char *format, ...)
{
	size_t length;
	va_list args;

	va_start(args, format);
	length = print_text(text, size, format, args);
	va_end(args);
	return length;
}

void print(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	console_write(line, print_text(line, sizeof(line), format, args));
	va_end(args);
}
