#include "embedded/launcher/store.h"

#include <errno.h>
#include <string.h>
#include <xenstore.h>

#include "embedded/ctrl/calls.h"
#include "lib/log.h"
#include "lib/xs.h"

static int write_dom0(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	static const struct {
		const char *path, *value;
	} nodes[] = {
		{"/local/domain/0/name", "Domain-0"},
		{"/local/domain/0/domid", "0"},
		/* Nobody here has udev rules for vbds and vifs; xl would wait for them. */
		{"/local/domain/0/libxl/disable_udev", "1"},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(nodes) / sizeof(nodes[0]); i++)
		rc = xs_write_string(xs, t, nodes[i].value, "%s", nodes[i].path);
	return rc;
}

int store_furnish(void)
{
	struct xs_handle *xs = xs_open(0);
	int rc;

	if (!xs) {
		rc = -errno;
		log_error("cannot connect to XenStore: %s", strerror(-rc));
		return rc;
	}
	rc = xs_transact(xs, write_dom0, NULL);
	if (rc)
		log_error("cannot write dom0's nodes: %s", strerror(-rc));
	xs_close(xs);
	return rc;
}

int guests_destroy(void)
{
	struct wire_info info;
	struct client client;
	int rc = client_open(&client);

	if (rc)
		goto out;
	while ((rc = calls_info(&client, 1, 1, &info)) == 1) {
		rc = calls_destroy(&client, info.domid);
		if (rc && rc != -ESRCH)
			break;
	}
	client_close(&client);
out:
	if (rc)
		log_error("cannot destroy the guests: %s", strerror(-rc));
	return rc;
}
