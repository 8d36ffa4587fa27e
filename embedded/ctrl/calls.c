#include "embedded/ctrl/calls.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

int calls_info(struct client *client, uint32_t first, uint32_t max, struct wire_info *info)
{
	struct wire_domain_info request = {.opcode = WIRE_DOMAIN_INFO, .first = first};
	struct wire_domain_infos reply;
	uint32_t got = 0;

	while (got < max) {
		uint32_t count;
		int rc = client_call(client, &request, sizeof(request), &reply, sizeof(reply), NULL,
				     NULL);

		if (rc)
			return rc;
		count = reply.count < max - got ? reply.count : max - got;
		memcpy(info + got, reply.info, count * sizeof(info[0]));
		got += count;
		if (reply.count < WIRE_INFO_MAX)
			break;
		request.first = reply.info[reply.count - 1].domid + 1u;
	}
	return (int)got;
}

int calls_destroy(struct client *client, uint32_t domid)
{
	struct wire_domain_destroy request = {.opcode = WIRE_DOMAIN_DESTROY, .domid = domid};
	const struct timespec pause = {.tv_nsec = 1000000};
	struct wire_result reply;
	bool asked = false;

	for (;;) {
		int rc = client_call(client, &request, sizeof(request), &reply, sizeof(reply), NULL,
				     NULL);

		if (rc != -EAGAIN)
			return asked && rc == -ESRCH ? 0 : rc;
		asked = true;
		nanosleep(&pause, NULL);
	}
}
