/* Clients of dom0 on a Unix socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "xenstore-tools/store/socket.h"

/** What libevent knows of a client. */
struct socket {
	struct server *server;
	struct connection *connection;
	int fd;
	struct event *readable, *writable;
	bool reading; /* readable is added */
};

/* Does somebody answer there? What is no socket is nobody's to replace. */
static int probe(const struct sockaddr_un *address)
{
	struct stat stat;
	int fd, rc;

	if (!lstat(address->sun_path, &stat) && !S_ISSOCK(stat.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;
	close(fd);
	return rc;
}

int socket_listen(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	rc = probe(&address);
	if (!rc)
		return -EADDRINUSE;
	if (rc == -ENOTSOCK)
		return rc;
	if (rc == -ECONNREFUSED && unlink(path) && errno != ENOENT)
		return -errno;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	umask(mask);
	if (!rc && listen(fd, SOMAXCONN))
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

void socket_close(struct server *server, struct connection *connection)
{
	struct socket *client = (struct socket *)connection->socket;

	connection_free(connection);
	event_free(client->readable);
	event_free(client->writable);
	close(client->fd);
	free(client);
}

static void set_reading(struct socket *client, bool on)
{
	if (on == client->reading)
		return;
	if (on)
		event_add(client->readable, NULL);
	else
		event_del(client->readable);
	client->reading = on;
}

/* False when the client is gone. */
static bool send_output(struct socket *client)
{
	struct connection *connection = client->connection;
	struct iovec vector[TRANSPORT_VECTORS];
	int count;

	while ((count = output_vectors(&connection->output, vector, TRANSPORT_VECTORS))) {
		struct msghdr message = {.msg_iov = vector, .msg_iovlen = count};
		ssize_t n = sendmsg(client->fd, &message, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			event_add(client->writable, NULL);
			return true;
		}
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			output_sent(&connection->output, n);
	}
	return true;
}

bool socket_settle(struct server *server, struct connection *connection)
{
	struct socket *client = (struct socket *)connection->socket;
	unsigned budget = TRANSPORT_BUDGET;
	bool more = false;

	if (connection->state == CONNECTION_OPEN && connection->rest_size &&
	    connection_ready(connection))
		more = transport_serve(&server->scratch, connection,
				       transport_rest(&server->scratch, connection), &budget);
	if (connection->state != CONNECTION_OPEN || !send_output(client)) {
		socket_close(server, connection);
		return false;
	}
	/* With a whole request in hand there is no need for another. */
	set_reading(client, !more && connection_ready(connection));
	return more;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct socket *client = (struct socket *)arg;
	struct server *server = client->server;
	struct connection *connection = client->connection;
	size_t rest = transport_rest(&server->scratch, connection);
	unsigned budget = TRANSPORT_BUDGET;
	ssize_t n;

	n = read(fd, server->scratch.bytes + rest, sizeof(server->scratch.bytes) - rest);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		socket_close(server, connection);
		return;
	}
	transport_serve(&server->scratch, connection, rest + n, &budget);
	connection_touch(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	connection_touch(((struct socket *)arg)->connection);
}

static int client_add(struct server *server, int fd)
{
	struct socket *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->server = server;
	client->fd = fd;
	client->connection = connection_new(&server->store, 0);
	client->readable = event_new(server->base, fd, EV_READ | EV_PERSIST, on_readable, client);
	client->writable = event_new(server->base, fd, EV_WRITE, on_writable, client);
	if (!client->connection || !client->readable || !client->writable)
		goto fail;
	client->connection->socket = client;
	set_reading(client, true);
	return 0;

fail:
	if (client->writable)
		event_free(client->writable);
	if (client->readable)
		event_free(client->readable);
	if (client->connection)
		connection_free(client->connection);
	free(client);
	return -ENOMEM;
}

void socket_accept(struct server *server, int listening)
{
	int fd;

	while ((fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (client_add(server, fd)) {
			log_error("socket: no memory for another client");
			close(fd);
		}
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
	    log_allowed(&server->limit, server->store.now))
		log_error("socket: no further client can be accepted: %s; raise the limit of open "
			  "files",
			  strerror(errno));
}
