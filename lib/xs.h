/*
 * xs.h - the XenStore, as the daemons use it: values read with a type, paths made with a
 * format, transactions that try again a bounded number of times.
 *
 * On top of libxenstore (xenstore.h). A value in the store was written by somebody else: each
 * reader here checks its form and length before the caller sees it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

/** The longest path that any node of ours has, with its NUL. */
#define XS_PATH_SIZE 512

/** How often a transaction is tried again before -EAGAIN is given up to the caller. */
#define XS_TRANSACTION_TRIES 64

/**
 * xs_read_string - the value of a node.
 * @t:      a transaction or XBT_NULL
 * @format: the path
 *
 * Return: a NUL-terminated string for the caller to free(3), or NULL with errno set (ENOENT:
 * no such node; EINVAL: the value holds a NUL byte; ENAMETOOLONG: the path is too long).
 */
char *xs_read_string(struct xs_handle *xs, xs_transaction_t t, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * xs_read_number - a node that holds a number as number_parse takes it: decimal, or after "0x"
 * hexadecimal.
 * @max:   the largest value accepted
 * @value: set on success only
 *
 * Return: 0, -ENOENT, -EINVAL (not a number), -ERANGE (above @max), -ENAMETOOLONG (the path is too
 * long), or what the store says.
 */
int xs_read_number(struct xs_handle *xs, xs_transaction_t t, uint64_t max, uint64_t *value,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

/**
 * xs_write_string - write a value, a NUL-terminated string, to a node.
 * Return: 0 or a negative errno.
 */
int xs_write_string(struct xs_handle *xs, xs_transaction_t t, const char *value, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));

/** xs_write_number - write a decimal number to a node. Return: 0 or a negative errno. */
int xs_write_number(struct xs_handle *xs, xs_transaction_t t, uint64_t value, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));

/** xs_remove - remove a node and all below it; one that is not there is no error. */
int xs_remove(struct xs_handle *xs, xs_transaction_t t, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** xs_exists - is there such a node that we can read? */
bool xs_exists(struct xs_handle *xs, xs_transaction_t t, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * xs_transact - run @body in a transaction, again when somebody else got in between.
 * @body: returns 0 to commit; a negative errno to abort with it. It may run many times, so it
 *        changes nothing but the store and what @arg keeps anew on each run.
 *
 * Return: 0, what @body returned, -EAGAIN after XS_TRANSACTION_TRIES conflicts, or what the
 * store says.
 */
int xs_transact(struct xs_handle *xs,
		int (*body)(struct xs_handle *xs, xs_transaction_t t, void *arg), void *arg);
