#include "toolstack/io.h"

#include <errno.h>
#include <unistd.h>

int io_read(int fd, void *data, size_t size)
{
	char *at = data;
	ssize_t n;

	while (size) {
		n = read(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int io_write(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t n;

	while (size) {
		n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int io_copy(int from, int to, uint64_t size)
{
	char piece[16384];
	int rc = 0;

	while (size && !rc) {
		size_t now = size < sizeof(piece) ? (size_t)size : sizeof(piece);

		rc = io_read(from, piece, now);
		if (!rc)
			rc = io_write(to, piece, now);
		size -= now;
	}
	return rc;
}
