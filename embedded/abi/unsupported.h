/*
 * unsupported.h - what a symbol of Xen's libraries does that the embedded platform has no use for.
 *
 * Programs linked with Xen's libraries resolve every symbol when they start, so each must be
 * there. One that is called says so, once a process, and fails with ENOSYS.
 */
#pragma once

#include <stdatomic.h>

/**
 * unsupported - say once that @symbol is not supported; set errno to ENOSYS.
 * @said: static and zero at first, one for each symbol
 *
 * Return: @value.
 */
__attribute__((visibility("hidden"))) long unsupported(const char *symbol, atomic_flag *said,
						       long value);

/* The generated files declare each symbol without arguments, whatever its real prototype: it
 * looks at none of them, and no caller sees this declaration. */
#define UNSUPPORTED(symbol, value)                          \
	long symbol(void);                                  \
	long symbol(void)                                   \
	{                                                   \
		static atomic_flag said = ATOMIC_FLAG_INIT; \
                                                            \
		return unsupported(#symbol, &said, value);  \
	}

#define UNSUPPORTED_DATA(symbol, size) \
	extern char symbol[size];      \
	char symbol[size] __attribute__((aligned(16)));
