/*
 * print.h - formatted lines to all consoles there are.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/** print_text - into @text of @size bytes: %s %c %d %u %x %lu %lx %ld %%, and %0Nu for N digits. */
size_t print_text(char *text, size_t size, const char *format, va_list args);

/** print_into - the same with arguments. Return: the length without the NUL; what is too long is
 * cut. */
size_t print_into(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** print - to the consoles. From any vcpu and any context. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
