/*
 * qos.h - the limits of a disk as text: "read-iops=500,bytes=10485760,bytes-burst=104857600".
 *
 * The words of the "qos" node between toolstack and block backend, of a disk's specification and of
 * xsplit block-qos(1). Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum qos_what {
	QOS_IOPS, /* operations, of both directions together */
	QOS_READ_IOPS,
	QOS_WRITE_IOPS,
	QOS_BYTES,
	QOS_READ_BYTES,
	QOS_WRITE_BYTES,
	QOS_LIMITS
};

/** A limit: KEY=RATE, KEY-burst=RATE, KEY-burst-seconds=SECONDS. */
struct qos_limit {
	uint64_t rate;    /* a second; 0: none */
	uint64_t burst;   /* a second, above rate, for a while; 0: none */
	uint64_t seconds; /* that it may last at full speed; 0: the default, 1 */
};

struct qos_limits {
	struct qos_limit limit[QOS_LIMITS];
};

/** The largest value of any key. */
#define QOS_RATE_MAX    (1ull << 48)
#define QOS_SECONDS_MAX 86400u

/** The longest text that qos_print makes, with its NUL. */
#define QOS_TEXT_SIZE 1024

/** qos_is_key - is it one of the keys? Return: 1 or 0. */
int qos_is_key(const char *key);

/**
 * qos_set - one KEY=VALUE.
 * @word:   VALUE is a number with K, M, G or T (of 1024) behind it, or 0 for no limit
 * @limits: changed on success only
 * @why:    on failure what is wrong and what would be right
 *
 * Return: 0 or -EINVAL.
 */
int qos_set(struct qos_limits *limits, const char *word, char *why, size_t size);

/**
 * qos_parse - several words with commas between, "" for none; and qos_check.
 * @limits: set to what they say and nothing else, on success only
 */
int qos_parse(const char *text, struct qos_limits *limits, char *why, size_t size);

/** qos_check - does it make sense as a whole: is a burst above its rate, and is there one? */
int qos_check(const struct qos_limits *limits, char *why, size_t size);

/** qos_print - the words that mean these limits, "" for none. */
void qos_print(const struct qos_limits *limits, char text[QOS_TEXT_SIZE]);

/** qos_each - call @each for every key with its value, in order; 0 is no limit. */
void qos_each(const struct qos_limits *limits,
	      void (*each)(void *arg, const char *key, uint64_t value), void *arg);
