/*
 * embedded-domain create FRAMES | destroy DOMID - a domain without a program in it, for tests that
 * run their own processes as that domain: XSPLIT_EMBEDDED=DIR/domN/host PROGRAM.
 *
 * embedded-domain garbage COUNT - send the daemon what no library would, and see that it still
 * answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embedded/client.h"
#include "embedded/wire.h"

static int create(struct client *client, uint32_t frames)
{
	struct wire_domain_create request = {.opcode = WIRE_DOMAIN_CREATE, .frames = frames};
	struct wire_domain_created reply;
	int rc;

	rc = client_call(client, &request, sizeof(request), &reply, sizeof(reply), NULL, NULL);
	if (!rc)
		printf("%u\n", reply.domid);
	return rc;
}

static int destroy(struct client *client, uint32_t domid)
{
	struct wire_domain_destroy request = {.opcode = WIRE_DOMAIN_DESTROY, .domid = domid};
	struct wire_result reply;

	return client_call(client, &request, sizeof(request), &reply, sizeof(reply), NULL, NULL);
}

static uint32_t word_any(void)
{
	static const uint32_t words[] = {0,          1,          2,          3,
					 8,          4095,       4096,       UINT16_MAX,
					 DOMID_SELF, 0x40000000, 0x7fffffff, UINT32_MAX};

	return words[(size_t)random() % (sizeof(words) / sizeof(words[0]))];
}

/* Mostly of a size that some request has, with words that some request might have. */
static void garbage_send(int fd, uint32_t opcodes)
{
	uint32_t message[WIRE_MESSAGE_MAX / 4 + 8];
	size_t size = random() % 8 ? ((size_t)random() % 12) * 4
				   : (size_t)random() % sizeof(message);
	int fds[FDPASS_MAX], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	size_t count = random() % 4 ? 0 : (size_t)random() % FDPASS_MAX;

	for (size_t i = 0; i < sizeof(message) / 4; i++)
		message[i] = word_any();
	message[0] = (uint32_t)random() % opcodes;
	for (size_t i = 0; i < count; i++)
		fds[i] = null;
	(void)fdpass_send(fd, message, size, fds, count);
	close(null);
}

static int garbage(uint32_t count)
{
	const struct timeval patience = {.tv_usec = 20000};
	char reply[WIRE_MESSAGE_MAX];
	struct client client = {.fd = -1};
	struct client_domain domain;
	size_t size, came;
	int fds[FDPASS_MAX], rc = 0;

	srandom(count);
	for (uint32_t i = 0; i < count && !rc; i++) {
		if (client.fd < 0) {
			rc = client_open(&client);
			if (rc)
				break;
			(void)setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
					 sizeof(patience));
		}
		garbage_send(client.fd, WIRE_DOMAIN_CREATE);
		if (fdpass_receive_any(client.fd, reply, sizeof(reply), &size, fds, &came)) {
			client_close(&client);
			continue;
		}
		while (came)
			close(fds[--came]);
	}
	client_close(&client);
	if (!rc)
		rc = client_open(&client);
	if (!rc)
		rc = client_domain_open(&client, DOMID_SELF, &domain);
	return rc;
}

int main(int argc, char **argv)
{
	struct client client;
	uint32_t number;
	int rc;

	if (argc != 3)
		return 2;
	number = (uint32_t)strtoul(argv[2], NULL, 10);
	if (!strcmp(argv[1], "garbage")) {
		rc = garbage(number);
		goto out;
	}
	rc = client_open(&client);
	if (!rc)
		rc = strcmp(argv[1], "create") ? destroy(&client, number) : create(&client, number);
out:
	if (rc)
		(void)fprintf(stderr, "embedded-domain: %s %s: %s\n", argv[1], argv[2],
			      strerror(-rc));
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
