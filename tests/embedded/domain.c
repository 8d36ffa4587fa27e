/*
 * embedded-domain create FRAMES | destroy DOMID - a domain without a program in it, for tests that
 * run their own processes as that domain: XSPLIT_EMBEDDED=DIR/domN/host PROGRAM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
	struct client client;
	uint32_t number;
	int rc;

	if (argc != 3)
		return 2;
	number = (uint32_t)strtoul(argv[2], NULL, 10);
	rc = client_open(&client);
	if (!rc)
		rc = strcmp(argv[1], "create") ? destroy(&client, number) : create(&client, number);
	if (rc)
		(void)fprintf(stderr, "embedded-domain: %s %s: %s\n", argv[1], argv[2],
			      strerror(-rc));
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
