#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define BURST          10u

static struct {
	const char *program;
	enum log_level level;
} the_log = {"xsplit", LOG_LEVEL_INFO};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_open(const char *program, enum log_level level)
{
	const char *wanted = getenv("XSPLIT_LOG");

	the_log.program = program;
	the_log.level = level;
	for (size_t i = 0; wanted && i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (!strcmp(wanted, level_names[i]))
			the_log.level = (enum log_level)i;
}

void log_write(enum log_level level, const char *format, ...)
{
	int saved = errno;
	char line[LINE_MAX_BYTES];
	size_t length;
	va_list args;
	int n;

	if (level > the_log.level)
		return;

	n = snprintf(line, sizeof(line), "%s: ", the_log.program);
	length = n < 0 ? 0 : (size_t)n;
	va_start(args, format);
	n = vsnprintf(line + length, sizeof(line) - length, format, args);
	va_end(args);
	length += n < 0 ? 0 : (size_t)n;
	if (length > sizeof(line) - 1)
		length = sizeof(line) - 1;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[length++] = '\n';
	(void)!write(STDERR_FILENO, line, length); /* if it fails there is nobody left to tell */
	errno = saved;
}

bool log_allowed(struct log_limit *limit, uint64_t now_ms)
{
	uint64_t earned = (now_ms - limit->last_ms) / 1000;

	if (earned) {
		limit->used = earned >= limit->used ? 0 : limit->used - (uint32_t)earned;
		limit->last_ms = now_ms;
	}
	if (limit->used >= BURST)
		return false;
	limit->used++;
	return true;
}
