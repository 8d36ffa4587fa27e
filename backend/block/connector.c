#include "backend/block/connector.h"

#include <errno.h>
#include <libnbd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/block/source.h"
#include "backend/worker/sandbox.h"
#include "lib/fdpass.h"

/* A peer that says nothing: asked after as many seconds, again after as many, and so often. */
#define IDLE_SECONDS     10
#define INTERVAL_SECONDS 5
#define PROBES           4

__attribute__((format(printf, 3, 4))) static int fail(struct connector_report *report, int rc,
						      const char *format, ...)
{
	va_list args;

	report->rc = rc;
	va_start(args, format);
	vsnprintf(report->text, sizeof(report->text), format, args);
	va_end(args);
	return -1;
}

static int unix_connect(const struct source *source, struct connector_report *report)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(source->socket) >= sizeof(address.sun_path))
		return fail(report, -ENAMETOOLONG, "the socket's path is longer than %zu bytes",
			    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, source->socket, strlen(source->socket));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int rc = -errno;

		close(fd);
		return fail(report, rc, "%.100s: %s", source->socket, strerror(-rc));
	}
	return fd < 0 ? fail(report, -errno, "no socket: %s", strerror(errno)) : fd;
}

/* Dead peers are to be noticed: by unanswered data and by silence. */
static void tcp_tune(int fd)
{
	const unsigned timeout = 1000 * (IDLE_SECONDS + INTERVAL_SECONDS * PROBES);
	const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, IDLE_SECONDS},
		{IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL_SECONDS},
		{IPPROTO_TCP, TCP_KEEPCNT, PROBES},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, (int)timeout},
		{IPPROTO_TCP, TCP_NODELAY, 1},
	};

	for (size_t n = 0; n < sizeof(options) / sizeof(options[0]); n++)
		(void)setsockopt(fd, options[n].level, options[n].name, &options[n].value,
				 sizeof(options[n].value));
}

static int tcp_connect(const struct source *source, struct connector_report *report)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	int fd = -1, rc = getaddrinfo(source->host, source->port, &hints, &addresses);

	if (rc)
		return fail(report, -EHOSTUNREACH, "%.100s: %s", source->host, gai_strerror(rc));
	for (const struct addrinfo *at = addresses; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen)) {
			rc = -errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(addresses);
	if (fd < 0)
		return fail(report, rc ? rc : -EHOSTUNREACH, "%.100s port %s: %s", source->host,
			    source->port, strerror(rc ? -rc : EHOSTUNREACH));
	tcp_tune(fd);
	return fd;
}

static uint32_t block_size(struct nbd_handle *nbd, int which, uint32_t missing)
{
	int64_t size = nbd_get_block_size(nbd, which);

	return size > 0 && size <= UINT32_MAX ? (uint32_t)size : missing;
}

static void export_ask(int fd, const struct source *source, struct connector_report *report)
{
	struct nbd_handle *nbd = nbd_create();
	int64_t size;

	if (!nbd) {
		fail(report, -ENOMEM, "out of memory");
		return;
	}
	nbd_set_export_name(nbd, source->export);
	if (nbd_connect_socket(nbd, fd)) {
		const char *words = nbd_get_error();

		fail(report, nbd_get_errno() ? -nbd_get_errno() : -EPROTO, "%.150s",
		     words ? words : "it is no NBD server");
		goto out;
	}
	size = nbd_get_size(nbd);
	if (size < 0) {
		fail(report, -EPROTO, "it does not say how large the export is");
		goto out;
	}
	report->info = (struct export_info){
		.size = (uint64_t)size,
		.block_min = block_size(nbd, LIBNBD_SIZE_MINIMUM, 1),
		.block_preferred = block_size(nbd, LIBNBD_SIZE_PREFERRED, 4096),
		.block_max = block_size(nbd, LIBNBD_SIZE_MAXIMUM, 0),
		.read_only = nbd_is_read_only(nbd) == 1,
		.can_trim = nbd_can_trim(nbd) == 1,
		.multi_conn = nbd_can_multi_conn(nbd) == 1,
	};
	nbd_shutdown(nbd, 0);
out:
	nbd_close(nbd);
}

int connector_main(int socket, const char *params, bool ask, const char *user, bool sandboxed)
{
	struct connector_report report = {0};
	struct source source;
	int fd = -1;

	alarm(CONNECTOR_SECONDS);
	close_range((unsigned)socket + 1, ~0u, 0);
	if (source_parse(params, &source, report.text, sizeof(report.text)) ||
	    source.kind != SOURCE_NBD)
		report.rc = -EINVAL;
	else
		fd = *source.host ? tcp_connect(&source, &report) : unix_connect(&source, &report);
	if (ask && fd >= 0) {
		if (sandboxed && sandbox_enter(user, -1))
			fail(&report, -EPERM, "no sandbox to ask it from; see the log");
		else
			export_ask(fd, &source, &report); /* has closed it */
		fd = -1;
	}
	return fdpass_send(socket, &report, sizeof(report), &fd, fd >= 0) ? 1 : 0;
}
