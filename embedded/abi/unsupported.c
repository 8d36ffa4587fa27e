#include "embedded/abi/unsupported.h"

#include <errno.h>
#include <stdio.h>

long unsupported(const char *symbol, atomic_flag *said, long value)
{
	if (!atomic_flag_test_and_set(said))
		(void)fprintf(stderr, "%s: not supported on the embedded platform\n", symbol);
	errno = ENOSYS;
	return value;
}
