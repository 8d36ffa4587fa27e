#include "frontend/core/netfront.h"

#include "frontend/core/text.h"

struct netqueue {
	struct nettx tx;
	struct netrx rx;
	struct platform_event *tx_event, *rx_event; /* the same when not split */
};

struct netfront {
	struct xenbus_device device; /* first: the driver's functions get it */
	const struct netfront_events *events;
	void *arg;
	struct netfeatures features;
	bool connected, broken;
	bool split; /* an event channel for each direction */
	struct netqueue queue;
};

static struct netfront *front_of(struct xenbus_device *device)
{
	return (struct netfront *)(void *)device;
}

static void front_break(struct netfront *front, const char *reason)
{
	front->broken = true;
	front->connected = false;
	front->events->carrier(front->arg, NULL);
	front->events->broken(front->arg, reason);
}

static bool queue_event(void *arg)
{
	struct netfront *front = arg;

	return front->connected && front->events->event(front->arg);
}

static int features_read(struct netfront *front)
{
	struct store_nodes nodes = {front->device.platform, front->device.backend, 0};
	struct netfeatures *features = &front->features;

	features->sg = store_flag(&nodes, "feature-sg");
	features->checksum_v4 = !store_flag(&nodes, "feature-no-csum-offload");
	features->checksum_v6 = store_flag(&nodes, "feature-ipv6-csum-offload");
	features->gso_v4 = features->sg && features->checksum_v4 &&
			   store_flag(&nodes, "feature-gso-tcpv4");
	features->gso_v6 = features->sg && features->checksum_v6 &&
			   store_flag(&nodes, "feature-gso-tcpv6");
	front->split = store_flag(&nodes, "feature-split-event-channels");
	return nodes.rc;
}

static int events_open(struct netfront *front)
{
	struct platform *platform = front->device.platform;
	struct netqueue *queue = &front->queue;
	uint16_t domid = front->device.backend_id;
	int rc;

	rc = platform->ops->event_open(platform, domid, queue_event, front, &queue->tx_event);
	if (rc)
		return rc;
	queue->rx_event = queue->tx_event;
	if (!front->split)
		return 0;
	rc = platform->ops->event_open(platform, domid, queue_event, front, &queue->rx_event);
	if (rc)
		platform->ops->event_close(platform, queue->tx_event);
	return rc;
}

static void events_close(struct netfront *front)
{
	struct platform *platform = front->device.platform;
	struct netqueue *queue = &front->queue;

	if (queue->rx_event != queue->tx_event)
		platform->ops->event_close(platform, queue->rx_event);
	platform->ops->event_close(platform, queue->tx_event);
	queue->tx_event = queue->rx_event = NULL;
}

static int driver_open(struct xenbus_device *device)
{
	struct netfront *front = front_of(device);
	struct netqueue *queue = &front->queue;
	struct platform *platform = device->platform;
	int rc;

	rc = features_read(front);
	if (rc)
		return rc;
	rc = nettx_make(&queue->tx, platform, device->backend_id);
	if (rc)
		return rc;
	rc = netrx_make(&queue->rx, platform, device->backend_id);
	if (rc)
		goto drop_tx;
	rc = events_open(front);
	if (rc)
		goto drop_rx;
	return 0;

drop_rx:
	netrx_drop_ring(&queue->rx, platform);
drop_tx:
	nettx_drop_ring(&queue->tx, platform);
	return rc;
}

static int rings_offer(struct netfront *front, uint32_t transaction)
{
	struct platform *platform = front->device.platform;
	const struct netqueue *queue = &front->queue;
	const struct {
		const char *name;
		uint64_t value;
		bool write;
	} nodes[] = {
		{"tx-ring-ref", queue->tx.area->gref[0], true},
		{"rx-ring-ref", queue->rx.area->gref[0], true},
		{"event-channel", queue->tx_event->port, !front->split},
		{"event-channel-tx", queue->tx_event->port, front->split},
		{"event-channel-rx", queue->rx_event->port, front->split},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (nodes[i].write)
			rc = store_write_number(platform, transaction, front->device.path,
						nodes[i].name, nodes[i].value);
	return rc;
}

/* Whether event channels are split can differ from backend to backend. */
static int offer_clear(struct xenbus_device *device, uint32_t transaction)
{
	static const char *const names[] = {"event-channel", "event-channel-tx",
					    "event-channel-rx"};
	char path[STORE_PATH_SIZE];
	int rc = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		rc = text_path(path, sizeof(path), device->path, names[i]);
		if (!rc)
			rc = device->platform->ops->store_remove(device->platform, transaction,
								 path);
		if (rc && rc != -ENOENT)
			return rc;
	}
	return 0;
}

static int driver_offer(struct xenbus_device *device, uint32_t transaction)
{
	static const struct {
		const char *name;
		uint64_t value;
	} nodes[] = {
		{"request-rx-copy", 1},
		{"feature-rx-notify", 1},
		{"feature-sg", 1},
		{"feature-gso-tcpv4", 1},
		{"feature-gso-tcpv6", 1},
		{"feature-no-csum-offload", 0},
		{"feature-ipv6-csum-offload", 1},
	};
	struct netfront *front = front_of(device);
	int rc;

	rc = offer_clear(device, transaction);
	if (!rc)
		rc = rings_offer(front, transaction);
	for (size_t i = 0; !rc && i < sizeof(nodes) / sizeof(nodes[0]); i++)
		rc = store_write_number(device->platform, transaction, device->path, nodes[i].name,
					nodes[i].value);
	return rc;
}

static int driver_connect(struct xenbus_device *device)
{
	struct store_nodes nodes = {device->platform, device->backend, 0};
	struct netfront *front = front_of(device);

	if (!store_flag(&nodes, "feature-rx-copy"))
		return nodes.rc ? nodes.rc : -EOPNOTSUPP;
	front->connected = true;
	front->events->carrier(front->arg, &front->features);
	return 0;
}

static void driver_close(struct xenbus_device *device)
{
	struct netfront *front = front_of(device);

	if (front->connected)
		front->events->carrier(front->arg, NULL);
	front->connected = false;
	events_close(front);
	nettx_drop_ring(&front->queue.tx, device->platform);
	netrx_drop_ring(&front->queue.rx, device->platform);
}

static void driver_ended(struct xenbus_device *device)
{
	struct netfront *front = front_of(device);

	front->events->ended(front->arg);
}

/* netif has no state between "rings offered" and "connected". */
static const struct xenbus_driver net_driver = {
	.published = XenbusStateConnected,
	.open = driver_open,
	.offer = driver_offer,
	.connect = driver_connect,
	.close = driver_close,
	.ended = driver_ended,
};

int netfront_create(struct platform *platform, const char *path,
		    const struct netfront_events *events, void *arg, struct netfront **created)
{
	struct netfront *front;
	int rc;

	front = platform->ops->allocate(platform, sizeof(*front));
	if (!front)
		return -ENOMEM;
	front->device.platform = platform;
	front->device.driver = &net_driver;
	front->events = events;
	front->arg = arg;
	rc = xenbus_start(&front->device, path);
	if (rc)
		platform->ops->free(platform, front);
	else
		*created = front;
	return rc;
}

int netfront_resume(struct netfront *front)
{
	return xenbus_resume(&front->device);
}

void netfront_destroy(struct netfront *front)
{
	struct platform *platform = front->device.platform;

	xenbus_stop(&front->device);
	nettx_drop(&front->queue.tx, platform);
	netrx_drop(&front->queue.rx, platform);
	platform->ops->free(platform, front);
}

void netfront_leave(struct netfront *front, const char *reason)
{
	if (front->connected)
		front->events->carrier(front->arg, NULL);
	front->connected = false;
	xenbus_leave(&front->device, reason);
}

bool netfront_reserve(struct netfront *front, struct net_chunk chunk[2])
{
	return front->connected && nettx_reserve(&front->queue.tx, chunk);
}

int netfront_send(struct netfront *front, const struct netpacket_meta *meta, size_t length)
{
	if (!front->connected)
		return -ENOTCONN;
	return nettx_send(&front->queue.tx, &front->features, meta, length);
}

void netfront_flush(struct netfront *front)
{
	struct platform *platform = front->device.platform;

	if (front->connected && nettx_push(&front->queue.tx))
		platform->ops->event_notify(platform, front->queue.tx_event);
}

bool netfront_reap(struct netfront *front)
{
	int rc;

	if (!front->connected)
		return false;
	rc = nettx_reap(&front->queue.tx);
	if (rc == -EOVERFLOW)
		front_break(front, "the backend answered more packets than there were");
	else if (rc < 0)
		front_break(front, "the backend answered a packet that is not outstanding");
	return rc > 0;
}

bool netfront_receive(struct netfront *front, struct netrx_packet *packet)
{
	int rc;

	if (!front->connected)
		return false;
	rc = netrx_take(&front->queue.rx, packet);
	if (rc == -EOVERFLOW)
		front_break(front, "the backend filled more receive slots than there were");
	else if (rc < 0)
		front_break(front, "the backend sent a packet that does not end");
	return rc > 0;
}

void netfront_post(struct netfront *front)
{
	struct platform *platform = front->device.platform;

	if (front->connected && netrx_post(&front->queue.rx))
		platform->ops->event_notify(platform, front->queue.rx_event);
}

struct netfront_counters netfront_counters(const struct netfront *front)
{
	return (struct netfront_counters){
		.received_bad = front->queue.rx.dropped,
		.sent_refused = front->queue.tx.errors,
	};
}
