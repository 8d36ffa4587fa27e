#include "toolstack/device/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#include "lib/number.h"
#include "toolstack/device/wait.h"

struct asking {
	const struct device *device;
	const struct device_node *nodes;
	uint32_t number;
};

static int ask(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct asking *asking = arg;
	char back[XS_PATH_SIZE];
	uint64_t last = 0, state = XenbusStateUnknown;
	int rc = 0;

	device_back(asking->device, back);
	(void)xs_read_number(xs, t, XenbusStateReconfigured, &state, "%s/state", back);
	if (state == XenbusStateUnknown)
		return -ENODEV;
	(void)xs_read_number(xs, t, UINT32_MAX, &last, "%s/settings-request", back);
	asking->number = last >= UINT32_MAX ? 1 : (uint32_t)last + 1;
	for (const struct device_node *node = asking->nodes; !rc && node->name; node++)
		rc = node->value ? xs_write_string(xs, t, node->value, "%s/%s", back, node->name)
				 : xs_remove(xs, t, "%s/%s", back, node->name);
	return rc ? rc : xs_write_number(xs, t, asking->number, "%s/settings-request", back);
}

/* The words behind the number of our request, or NULL while there is no answer to it. */
static const char *answer_to(const char *reply, uint32_t number)
{
	size_t length = reply ? strcspn(reply, " ") : 0;
	char digits[16];
	uint32_t answered;

	if (!length || length >= sizeof(digits) || !reply[length])
		return NULL;
	memcpy(digits, reply, length);
	digits[length] = '\0';
	if (number_parse_u32(digits, &answered) || answered != number)
		return NULL;
	return reply + length + 1;
}

static enum device_progress answered(struct toolstack *ts, const struct device *device,
				     const void *arg, struct fault *fault)
{
	const struct asking *asking = arg;
	enum device_progress progress = DEVICE_PENDING;
	char back[XS_PATH_SIZE], label[64], *reply;
	const char *words;

	device_back(device, back);
	device_label(device, label, sizeof(label));
	reply = xs_read_string(ts->xs, XBT_NULL, "%s/settings-reply", back);
	words = answer_to(reply, asking->number);
	if (words && !strcmp(words, "ok")) {
		progress = DEVICE_DONE;
	} else if (words) {
		if (!strncmp(words, "error: ", 7))
			words += 7;
		fault_set(fault, -EIO, "domain %u: %s: %s", device->domid, label, words);
		progress = DEVICE_FAILED;
	} else if (device_state(ts, device) == XenbusStateUnknown) {
		fault_set(fault, -EIO, "domain %u: %s was detached meanwhile", device->domid,
			  label);
		progress = DEVICE_FAILED;
	}
	free(reply);
	return progress;
}

int device_settings(struct toolstack *ts, const struct device *device,
		    const struct device_node *nodes, struct fault *fault)
{
	struct asking asking = {.device = device, .nodes = nodes};
	struct devices one = {(struct device *)device, 1};
	const struct device *late = NULL;
	char label[64];
	int rc;

	device_label(device, label, sizeof(label));
	if (device->type != DEVICE_VBD)
		return fault_set(fault, -EOPNOTSUPP,
				 "domain %u: %s is served by QEMU, which cannot do this; use "
				 "backendtype=phy",
				 device->domid, label);
	rc = xs_transact(ts->xs, ask, &asking);
	if (rc)
		return fault_set(fault, rc, "domain %u: %s: its backend's nodes: %s", device->domid,
				 label, strerror(-rc));
	rc = devices_wait(ts, &one, answered, &asking, true, &late, fault);
	if (rc == -ETIMEDOUT)
		fault_set(fault, rc,
			  "domain %u: %s: its backend has not answered in %d s and may still do "
			  "it; is its storage slow, or xsplit-backend not running?",
			  device->domid, label, device_patience(ts, device));
	else if (rc == -EINTR)
		fault_set(fault, rc, "interrupted; domain %u: %s: its backend may still do it",
			  device->domid, label);
	else if (rc && rc != -EIO)
		fault_set(fault, rc, "cannot watch the backend: %s", strerror(-rc));
	return rc;
}
