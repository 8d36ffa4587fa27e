#include "toolstack/device/backend.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/rundir.h"

#define SOCKET_NAME "backend.sock"

/* Milliseconds of silence; it answers at once, or after 5 s that a worker does not. */
#define SILENCE_MS 10000

/* The largest answer: some thousand disks with all their histograms. */
#define ANSWER_MAX (64u << 20)

static int reachable(const struct device *device, struct fault *fault)
{
	char label[64];

	if (!device)
		return 0;
	device_label(device, label, sizeof(label));
	if (device->type == DEVICE_QDISK)
		return fault_set(fault, -EOPNOTSUPP,
				 "domain %u: %s is served by QEMU, which does not tell; use "
				 "backendtype=phy",
				 device->domid, label);
	if (device->backend != BACKEND_DOMID)
		return fault_set(fault, -EOPNOTSUPP,
				 "domain %u: %s is served by domain %u, a driver domain, and its "
				 "socket is reached only from there; run xsplit in that domain",
				 device->domid, label, device->backend);
	return 0;
}

int daemon_connect(const char *daemon, const char *name, int *fd, struct fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int rc = rundir_path(address.sun_path, sizeof(address.sun_path), "%s", name);

	*fd = -1;
	if (!rc)
		*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!rc && (*fd < 0 || connect(*fd, (struct sockaddr *)&address, sizeof(address))))
		rc = -errno;
	if (rc) {
		if (*fd >= 0)
			close(*fd);
		fault_set(fault, rc, "%s/%s: %s; is %s running?", rundir(), name, strerror(-rc),
			  daemon);
	}
	return rc;
}

/* One line, for free(3). */
static int line_read(int fd, char **line, struct fault *fault)
{
	size_t size = 0, room = 0;
	char *text = NULL;

	while (!size || text[size - 1] != '\n') {
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		char *more = text;
		ssize_t n = -1;

		if (size + 1 >= room) {
			room = room ? room * 2 : 16384;
			more = room > ANSWER_MAX ? NULL : realloc(text, room);
		}
		if (more)
			text = more;
		if (more && poll(&polled, 1, SILENCE_MS) > 0)
			n = read(fd, text + size, room - size - 1);
		if (n <= 0) {
			free(text);
			return fault_set(fault, -EPIPE,
					 "%s/%s: no answer; is xsplit-backend stopped?", rundir(),
					 SOCKET_NAME);
		}
		size += (size_t)n;
	}
	text[size - 1] = '\0';
	*line = text;
	return 0;
}

/* Takes the line over. */
static int answer_take(char *line, const struct device *device, struct backend_answer *answer,
		       struct fault *fault)
{
	const char *path[] = {"error", NULL};
	char label[64] = "";
	yajl_val root = yajl_tree_parse(line, NULL, 0);
	const char *words = root ? YAJL_GET_STRING(yajl_tree_get(root, path, yajl_t_string)) : NULL;

	*answer = (struct backend_answer){line, root};
	if (root && !words)
		return 0;
	if (device)
		device_label(device, label, sizeof(label));
	if (!root)
		fault_set(fault, -EIO, "%s/%s: its answer is not JSON", rundir(), SOCKET_NAME);
	else if (device)
		fault_set(fault, -EIO, "domain %u: %s: %s", device->domid, label, words);
	else
		fault_set(fault, -EIO, "xsplit-backend: %s", words);
	backend_answer_free(answer);
	return -EIO;
}

static void question_make(char *text, size_t size, const char *request, int domid,
			  const struct device *device)
{
	int n = snprintf(text, size, "{\"request\":\"%s\"", request);

	if (device)
		n += snprintf(text + n, size - (size_t)n, ",\"domid\":%u,\"devid\":%" PRIu32,
			      device->domid, device->id);
	else if (domid >= 0)
		n += snprintf(text + n, size - (size_t)n, ",\"domid\":%d", domid);
	snprintf(text + n, size - (size_t)n, "}\n");
}

int backend_ask(const char *request, int domid, const struct device *device,
		struct backend_answer *answer, struct fault *fault)
{
	char question[128], *line = NULL;
	int fd, rc = reachable(device, fault);

	if (!rc)
		rc = daemon_connect("xsplit-backend", SOCKET_NAME, &fd, fault);
	if (rc)
		return rc;
	question_make(question, sizeof(question), request, domid, device);
	if (send(fd, question, strlen(question), MSG_NOSIGNAL) != (ssize_t)strlen(question))
		rc = fault_set(fault, -EPIPE, "%s/%s: it does not listen", rundir(), SOCKET_NAME);
	if (!rc)
		rc = line_read(fd, &line, fault);
	close(fd);
	return rc ? rc : answer_take(line, device, answer, fault);
}

void backend_answer_free(struct backend_answer *answer)
{
	yajl_tree_free(answer->root);
	free(answer->text);
	*answer = (struct backend_answer){0};
}

long long backend_number(yajl_val object, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val value = yajl_tree_get(object, path, yajl_t_number);

	return value && YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : 0;
}
