/*
 * number.h - numbers out of text that somebody else wrote.
 *
 * strtoul(3) takes signs, spaces and trailing words; a XenStore value may hold any of them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * number_parse - a decimal number (or hexadecimal after "0x"), the whole of the text.
 * @text:  NUL-terminated
 * @max:   the largest value allowed
 * @value: set on success only
 *
 * Return: 0, -EINVAL (empty, a sign, a space or any other character that is not a digit),
 * or -ERANGE (above @max).
 */
int number_parse(const char *text, uint64_t max, uint64_t *value);

/** number_parse_u32 - the same with UINT32_MAX as the bound. */
int number_parse_u32(const char *text, uint32_t *value);

/** number_parse_u16 - the same with UINT16_MAX as the bound; domids, ports of 16 bits. */
int number_parse_u16(const char *text, uint16_t *value);

/**
 * number_parse_size - a number that K, M, G or T may follow, in either case: of 1024, of 1024 *
 * 1024 and so on. Arguments and errors of number_parse.
 */
int number_parse_size(const char *text, uint64_t max, uint64_t *value);
