#include "toolstack/device/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

/* An answer is one line; the longest we ask for are of a few KiB. */
#define LINE_MAX_BYTES (256u << 10)
/* So many events may come before an answer. */
#define LINES_MAX      1000

struct qmp {
	int fd;
	char what[128];
	char *buffer; /* LINE_MAX_BYTES, @used of them unread */
	size_t used;
};

static int failed(struct qmp *qmp, int rc, const char *command, struct fault *fault)
{
	return fault_set(fault, rc, "%s: %s: %s", qmp->what, command,
			 rc == -ECONNRESET ? "it has ended" : strerror(-rc));
}

/* More bytes into the buffer, before @deadline. */
static int fill(struct qmp *qmp, int64_t deadline)
{
	struct pollfd polled = {.fd = qmp->fd, .events = POLLIN};
	int64_t left = deadline - clock_ms();
	ssize_t n;

	if (qmp->used == LINE_MAX_BYTES)
		return -EPROTO;
	if (left <= 0 || poll(&polled, 1, (int)left) <= 0)
		return left > 0 && errno == EINTR ? 0 : -ETIMEDOUT;
	n = recv(qmp->fd, qmp->buffer + qmp->used, LINE_MAX_BYTES - qmp->used, MSG_DONTWAIT);
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	qmp->used += (size_t)n;
	return 0;
}

/* The next line as JSON, for yajl_tree_free(). */
static int line_get(struct qmp *qmp, int64_t deadline, yajl_val *line)
{
	char *end, error[16];
	int rc;

	while (!(end = memchr(qmp->buffer, '\n', qmp->used))) {
		rc = fill(qmp, deadline);
		if (rc)
			return rc;
	}
	*end = '\0';
	*line = yajl_tree_parse(qmp->buffer, error, sizeof(error));
	qmp->used -= (size_t)(end + 1 - qmp->buffer);
	memmove(qmp->buffer, end + 1, qmp->used);
	return *line ? 0 : -EPROTO;
}

static yajl_val member(yajl_val object, const char *name)
{
	const char *path[] = {name, NULL};

	return yajl_tree_get(object, path, yajl_t_any);
}

static int refused(struct qmp *qmp, const char *command, yajl_val error, struct fault *fault)
{
	yajl_val words = member(error, "desc");

	return fault_set(fault, -EIO, "%s: %s: %s", qmp->what, command,
			 YAJL_IS_STRING(words) ? YAJL_GET_STRING(words) : "refused");
}

/* Takes the member out of its object, so that it outlives it. */
static yajl_val member_take(yajl_val object, const char *name)
{
	for (size_t i = 0; i < object->u.object.len; i++) {
		yajl_val found = object->u.object.values[i];

		if (strcmp(object->u.object.keys[i], name) != 0)
			continue;
		object->u.object.values[i] = NULL;
		return found;
	}
	return NULL;
}

static int answer_get(struct qmp *qmp, const char *command, yajl_val *answer, struct fault *fault)
{
	int64_t deadline = clock_ms() + QMP_SECONDS * 1000;
	yajl_val line, error;
	int rc;

	for (int i = 0; i < LINES_MAX; i++) {
		rc = line_get(qmp, deadline, &line);
		if (rc)
			return failed(qmp, rc, command, fault);
		error = member(line, "error");
		if (error)
			rc = refused(qmp, command, error, fault);
		else if (member(line, "return") && answer)
			*answer = member_take(line, "return");
		if (error || member(line, "return") || (answer && *answer)) {
			yajl_tree_free(line);
			return rc;
		}
		yajl_tree_free(line);
	}
	return failed(qmp, -EPROTO, command, fault);
}

static int bytes_send(int fd, const char *bytes, size_t size, int passed)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec piece = {(char *)bytes, size};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	ssize_t n;

	if (passed >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	}
	while (piece.iov_len) {
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE ? -ECONNRESET : -errno;
		piece.iov_base = (char *)piece.iov_base + n;
		piece.iov_len -= (size_t)n;
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
	return 0;
}

int qmp_send(struct qmp *qmp, const char *command, const char *arguments, int fd, yajl_val *answer,
	     struct fault *fault)
{
	char *text = NULL;
	int rc;

	if (answer)
		*answer = NULL;
	if (asprintf(&text, "{\"execute\":\"%s\"%s%s}\n", command,
		     arguments ? ",\"arguments\":" : "", arguments ? arguments : "") < 0)
		return fault_memory(fault);
	rc = bytes_send(qmp->fd, text, strlen(text), fd);
	free(text);
	return rc ? failed(qmp, rc, command, fault) : answer_get(qmp, command, answer, fault);
}

static int connect_to(const char *path, int *out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = QMP_SECONDS};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

static int greeting_take(struct qmp *qmp, struct fault *fault)
{
	yajl_val line;
	int rc = line_get(qmp, clock_ms() + QMP_SECONDS * 1000, &line);

	if (rc)
		return failed(qmp, rc, "QMP", fault);
	rc = member(line, "QMP") ? 0 : failed(qmp, -EPROTO, "QMP", fault);
	yajl_tree_free(line);
	return rc ? rc : qmp_send(qmp, "qmp_capabilities", NULL, -1, NULL, fault);
}

int qmp_open(struct qmp **out, const char *path, const char *what, struct fault *fault)
{
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	int rc;

	if (!qmp)
		return fault_memory(fault);
	qmp->fd = -1;
	snprintf(qmp->what, sizeof(qmp->what), "%s", what);
	qmp->buffer = malloc(LINE_MAX_BYTES);
	if (!qmp->buffer) {
		rc = fault_memory(fault);
		goto out;
	}
	rc = connect_to(path, &qmp->fd);
	if (rc)
		fault_set(fault, rc, "%s: %s: %s", what, path, strerror(-rc));
	else
		rc = greeting_take(qmp, fault);
out:
	if (rc)
		qmp_close(qmp);
	else
		*out = qmp;
	return rc;
}

void qmp_close(struct qmp *qmp)
{
	if (!qmp)
		return;
	if (qmp->fd >= 0)
		close(qmp->fd);
	free(qmp->buffer);
	free(qmp);
}
