/* The worker's half of a vif: its queues, as long as it is connected. See vif.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/net/queue.h"
#include "backend/net/vif.h"

struct port {
	struct worker_device dev;
	size_t queues;
	struct net_queue *queue[VIF_QUEUES_MAX];
	int tap[VIF_QUEUES_MAX];
};

static void queues_close(struct port *port)
{
	while (port->queues > 0)
		net_queue_close(port->queue[--port->queues]);
}

static int port_connect(struct worker_device *dev, const void *payload, const int *fds,
			size_t count)
{
	struct port *port = (struct port *)dev;
	const struct vif_connect *connect = payload;

	if (connect->queues > VIF_QUEUES_MAX || connect->queues != count)
		return worker_fail(dev, -EPROTO, "%zu descriptors came for %u queues", count,
				   connect->queues);
	for (; port->queues < count; port->queues++) {
		struct net_queue_config config = {
			.index = (unsigned int)port->queues,
			.tx_ref = connect->queue[port->queues].tx_ref,
			.rx_ref = connect->queue[port->queues].rx_ref,
			.tx_port = connect->queue[port->queues].tx_port,
			.rx_port = connect->queue[port->queues].rx_port,
			.rx_notify = connect->rx_notify,
			.features = connect->features,
			.tap = fds[port->queues],
		};
		int rc = net_queue_open(&port->queue[port->queues], dev, &config);

		if (rc) {
			queues_close(port);
			return rc;
		}
	}
	memcpy(port->tap, fds, count * sizeof(fds[0]));
	return 0;
}

/* Nothing is in flight between two passes of a queue, so all ends here. */
static void port_disconnect(struct worker_device *dev)
{
	struct port *port = (struct port *)dev;
	size_t queues = port->queues;

	queues_close(port);
	for (size_t queue = 0; queue < queues; queue++)
		close(port->tap[queue]);
	worker_disconnected(dev);
}

const struct worker_class vif_worker_class = {
	.name = "vif",
	.size = sizeof(struct port),
	.connect = port_connect,
	.disconnect = port_disconnect,
};
