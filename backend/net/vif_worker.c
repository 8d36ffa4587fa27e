/* The worker's half of a vif: its queues, as long as it is connected. See vif.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/net/queue.h"
#include "backend/net/vif.h"

struct port {
	struct worker_device dev;
	size_t queues;
	struct net_queue *queue[VIF_QUEUES_MAX];
	int tap[VIF_QUEUES_MAX];
	int journal; /* kept open for its lock, or -1 */
	struct net_log *log;
	size_t log_size;
	struct net_rate rate;
};

/* Private memory where the supervisor has no file for us. */
static int log_map(struct port *port, size_t queues)
{
	int flags = port->journal < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *memory;

	port->log_size = queues * sizeof(struct net_log);
	memory = mmap(NULL, port->log_size, PROT_READ | PROT_WRITE, flags, port->journal, 0);
	if (memory == MAP_FAILED)
		return worker_fail(&port->dev, -errno, "its log cannot be mapped: %s",
				   strerror(errno));
	port->log = memory;
	return 0;
}

static void queues_close(struct port *port)
{
	while (port->queues > 0)
		net_queue_close(port->queue[--port->queues]);
	if (port->log)
		munmap(port->log, port->log_size);
	port->log = NULL;
}

static int port_connect(struct worker_device *dev, const void *payload, const int *fds,
			size_t count)
{
	struct port *port = (struct port *)dev;
	const struct vif_connect *connect = payload;
	int rc;

	if (!connect->queues || connect->queues > VIF_QUEUES_MAX ||
	    (size_t)connect->queues + connect->journal != count)
		return worker_fail(dev, -EPROTO, "%zu descriptors came for %u queues", count,
				   connect->queues);
	port->journal = connect->journal ? *fds++ : -1;
	port->rate = connect->rate;
	count = connect->queues;
	rc = log_map(port, count);
	if (rc)
		return rc;
	for (; port->queues < count; port->queues++) {
		struct net_queue_config config = {
			.index = (unsigned int)port->queues,
			.tx_ref = connect->queue[port->queues].tx_ref,
			.rx_ref = connect->queue[port->queues].rx_ref,
			.tx_port = connect->queue[port->queues].tx_port,
			.rx_port = connect->queue[port->queues].rx_port,
			.rx_notify = connect->rx_notify,
			.features = connect->features,
			.rate = connect->rate.bytes ? &port->rate : NULL,
			.tap = fds[port->queues],
			.log = &port->log[port->queues],
		};

		rc = net_queue_open(&port->queue[port->queues], dev, &config);
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
	if (port->journal >= 0)
		close(port->journal);
	worker_disconnected(dev);
}

const struct worker_class vif_worker_class = {
	.name = "vif",
	.size = sizeof(struct port),
	.connect = port_connect,
	.disconnect = port_disconnect,
};
