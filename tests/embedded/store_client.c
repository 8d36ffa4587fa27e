#include "tests/embedded/store_client.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PORT_DOMAIN 100u
#define PATIENCE_S  10

static int connect_to(const char *directory, const char *name, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", address.sun_path);
	return fd;
}

static void *map(const char *directory, const char *name, size_t size)
{
	char path[256];
	void *page;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	page = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return page;
}

void daemon_open(struct daemon *daemon, const char *directory)
{
	daemon->name = directory;
	daemon->domains = map(directory, "domains", 16);
	daemon->events = connect_to(directory, "events", SOCK_DGRAM);
}

void daemon_event(const struct daemon *daemon, uint32_t port)
{
	if (write(daemon->events, &port, sizeof(port)) != sizeof(port))
		err(1, "%s: event", daemon->name);
}

void client_socket(struct client *client, struct daemon *daemon)
{
	client->daemon = daemon;
	client->socket = connect_to(daemon->name, "socket", SOCK_STREAM);
	client->heard[0] = '\0';
}

void client_guest(struct client *client, struct daemon *daemon, unsigned domid)
{
	char name[16];

	snprintf(name, sizeof(name), "ring-%u", domid);
	client->daemon = daemon;
	client->socket = -1;
	client->domid = domid;
	client->ring = map(daemon->name, name, 4096);
	client->heard[0] = '\0';
}

static size_t ring_put(struct xenstore_domain_interface *ring, const char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size &&
	       ring->req_prod - *(volatile uint32_t *)&ring->req_cons < XENSTORE_RING_SIZE) {
		ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = bytes[done++];
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		ring->req_prod++;
	}
	return done;
}

static size_t ring_take(struct xenstore_domain_interface *ring, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size && *(volatile uint32_t *)&ring->rsp_prod != ring->rsp_cons) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		bytes[done++] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
		ring->rsp_cons++;
	}
	return done;
}

/* Move @size bytes one way or the other, however long it takes within reason. */
static void move(struct client *client, char *bytes, size_t size, bool out)
{
	time_t start = time(NULL);
	size_t done = 0;

	while (done < size) {
		ssize_t n;

		if (client->socket >= 0) {
			n = out ? write(client->socket, bytes + done, size - done)
				: read(client->socket, bytes + done, size - done);
			if (n <= 0)
				errx(1, "%s: the connection is closed", client->daemon->name);
		} else {
			n = out ? ring_put(client->ring, bytes + done, size - done)
				: ring_take(client->ring, bytes + done, size - done);
			if (n)
				daemon_event(client->daemon, PORT_DOMAIN + client->domid);
			else
				sched_yield();
		}
		done += n;
		if (time(NULL) - start > PATIENCE_S)
			errx(1, "%s: domain %u gets no answer", client->daemon->name,
			     client->domid);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp((const char *)a, (const char *)b);
}

/* Add an event to the sorted words. */
static void hear(struct client *client, const char *event)
{
	static char words[256][256];
	char *at = client->heard, *word;
	size_t count = 0;

	for (word = strtok(at, " "); word && count < 255; word = strtok(NULL, " "))
		snprintf(words[count++], sizeof(words[0]), "%s", word);
	snprintf(words[count++], sizeof(words[0]), "%.255s", event);
	qsort(words, count, sizeof(words[0]), by_text);
	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "%s ", words[i]);
}

void client_ask(struct client *client, uint32_t type, uint32_t transaction, const void *body,
		size_t size, struct reply *reply)
{
	char out[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg header = {type, 1, transaction, size};

	memcpy(out, &header, sizeof(header));
	memcpy(out + sizeof(header), body, size);
	move(client, out, sizeof(header) + size, true);
	do {
		move(client, (char *)&header, sizeof(header), false);
		if (header.len > XENSTORE_PAYLOAD_MAX)
			errx(1, "%s: a reply of %u bytes", client->daemon->name, header.len);
		move(client, reply->body, header.len, false);
		for (uint32_t i = 0; i < header.len; i++)
			if (!reply->body[i])
				reply->body[i] = '|';
		reply->body[header.len] = '\0';
		reply->type = header.type;
		reply->size = header.len;
		if (header.type == XS_WATCH_EVENT)
			hear(client, reply->body);
	} while (header.type == XS_WATCH_EVENT);
}
