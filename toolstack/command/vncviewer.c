#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xs.h"
#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"
#include "toolstack/program.h"

/* "127.0.0.1::5900": the viewers of Debian all take it. */
static int address_get(struct toolstack *ts, const char *word, char *address, size_t size,
		       struct fault *fault)
{
	char *host = NULL;
	uint64_t port;
	uint16_t domid;
	int rc = name_find(ts, word, &domid, fault);

	if (rc)
		return rc;
	rc = xs_read_number(ts->xs, XBT_NULL, UINT16_MAX, &port,
			    "/local/domain/%u/console/vnc-port", domid);
	if (rc)
		return fault_set(fault, -ENXIO,
				 "domain %u has no VNC server; it is for type=\"hvm\" with vnc=1",
				 domid);
	host = xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/console/vnc-listen", domid);
	snprintf(address, size, "%s::%u", host && *host ? host : "127.0.0.1", (unsigned)port);
	free(host);
	return 0;
}

int command_vncviewer(const struct command *self, int argc, char **argv)
{
	char address[300], *viewer = NULL;
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(self, "give one DOMAIN");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = address_get(&ts, argv[optind], address, sizeof(address), &fault);
		toolstack_close(&ts);
	}
	if (!rc && !program_find("vncviewer", &viewer)) {
		execl(viewer, "vncviewer", address, (char *)NULL);
		fault_set(&fault, -errno, "%s: %s", viewer, strerror(errno));
	} else if (!rc) {
		fault_set(&fault, -ENOENT,
			  "no vncviewer on this host; install the package tigervnc-viewer, or "
			  "point one at %s",
			  address);
	}
	free(viewer);
	return command_failed(&fault, given_has(&given, 'j'));
}
