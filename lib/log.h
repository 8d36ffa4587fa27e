/*
 * log.h - one line per event, to standard error, the way a service manager wants it.
 *
 * A line names the object first ("vbd 5/51712: ..."), then what is wrong, then the remedy.
 * What a guest can cause is limited at the call with a struct log_limit, so no guest can
 * flood the log.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/**
 * log_open - name the program and choose what is written.
 * @program: prefix of each line; not copied, must live as long as the program
 * @level:   the most detailed level that is written; XSPLIT_LOG=error|warn|info|debug in the
 *           environment overrides it
 */
void log_open(const char *program, enum log_level level);

/**
 * log_write - write "program: text\n" in one write(2). Control bytes in the text, which may
 * come from a guest, are written as '?'. Lines are cut at 1023 bytes. errno is kept.
 */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/** A token bucket for messages that a guest can cause: at most ten at once, one more a second. */
struct log_limit {
	uint64_t last_ms; /* of CLOCK_MONOTONIC */
	uint32_t used;
};

/**
 * log_allowed - may the next message of this source be written?
 * @limit: zeroed at first; owned by the object that the messages are about
 * @now_ms: milliseconds of CLOCK_MONOTONIC
 */
bool log_allowed(struct log_limit *limit, uint64_t now_ms);
