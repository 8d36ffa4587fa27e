#include "toolstack/device/console.h"

#include <inttypes.h>
#include <stdio.h>

struct device console_device(uint16_t domid)
{
	return (struct device){.type = DEVICE_CONSOLE, .domid = domid, .backend = BACKEND_DOMID};
}

void console_nodes(struct nodes *nodes, uint16_t domid, uint64_t frame, uint32_t port)
{
	struct device device = console_device(domid);
	char ring[24], channel[16];
	const struct device_node front[] = {
		{"limit", "1048576"},
		{"type", "xenconsoled"},
		{"output", "pty"},
		{"tty", ""},
		{"port", channel},
		{"ring-ref", ring},
		{0},
	};
	static const struct device_node back[] = {
		{"online", "1"},
		{"state", "1"},
		{"protocol", "vt100"},
		{0},
	};

	snprintf(ring, sizeof(ring), "%" PRIu64, frame);
	snprintf(channel, sizeof(channel), "%" PRIu32, port);
	device_nodes(nodes, &device, front, back);
}
