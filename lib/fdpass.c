#include "lib/fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(FDPASS_MAX * sizeof(int))];
};

int fdpass_send(int socket, const void *message, size_t size, const int *fds, size_t count)
{
	struct iovec data = {.iov_base = (void *)message, .iov_len = size};
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	if (count > FDPASS_MAX)
		return -EINVAL;
	if (count) {
		memset(&control, 0, sizeof(control));
		header.msg_control = control.space;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	do
		n = sendmsg(socket, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EPROTO;
}

static size_t descriptors_take(struct msghdr *header, int *fds)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t bytes;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		bytes = c->cmsg_len - CMSG_LEN(0);
		if (bytes > (FDPASS_MAX - count) * sizeof(int))
			bytes = (FDPASS_MAX - count) * sizeof(int);
		memcpy(fds + count, CMSG_DATA(c), bytes);
		count += bytes / sizeof(int);
	}
	return count;
}

int fdpass_receive_any(int socket, void *message, size_t room, size_t *size, int *fds,
		       size_t *count)
{
	struct iovec data = {.iov_base = message, .iov_len = room};
	union control control;
	struct msghdr header = {.msg_iov = &data,
				.msg_iovlen = 1,
				.msg_control = control.space,
				.msg_controllen = sizeof(control.space)};
	ssize_t n;

	*count = 0;
	do
		n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;

	*count = descriptors_take(&header, fds);
	*size = (size_t)n;
	if (n == 0 && !*count)
		return -EPIPE;
	if (n > 0 && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	while (*count)
		close(fds[--*count]);
	return -EPROTO;
}

int fdpass_receive(int socket, void *message, size_t size, int *fds, size_t *count)
{
	size_t came = 0;
	int rc;

	rc = fdpass_receive_any(socket, message, size, &came, fds, count);
	if (rc || came == size)
		return rc;
	while (*count)
		close(fds[--*count]);
	return -EPROTO;
}
