/*
 * The supervisor's half of a vif: its nodes in the store, its TAP, its bridge. See vif.h.
 *
 * Nodes: xen/io/netif.h; those of the toolstack: libxl_nic.c of Xen's tools/libs/light.
 */
#include "backend/net/vif.h"

#include "backend/net/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_DEFAULT 1500
#define MTU_MAX     65535

struct vif {
	struct device dev;
	struct uplink uplink;
	struct net_rate rate;
	uint32_t queues; /* of the connection */
};

static struct vif *vif_of(struct device *dev)
{
	return (struct vif *)dev;
}

/* Pass on what went wrong with the TAP. */
static int uplink_fail(struct vif *vif, int rc)
{
	return device_fail(&vif->dev, rc, "%s", vif->uplink.error);
}

/* @mtu is left alone where the toolstack wrote none. */
static int mtu_read(struct device *dev, unsigned int *mtu)
{
	uint64_t value;
	int rc = xs_read_number(dev->xs, XBT_NULL, MTU_MAX, &value, "%s/mtu", dev->back);

	if (rc == -ENOENT)
		return 0;
	if (rc)
		return device_fail(dev, rc, "mtu is not a number up to %d", MTU_MAX);
	*mtu = (unsigned int)value;
	return 0;
}

/* A limit that is not understood is not left out in silence. */
static int rate_read(struct device *dev, struct net_rate *rate)
{
	char *text = device_back_string(dev, "rate");
	int rc = text ? net_rate_parse(text, rate) : 0;

	if (rc)
		rc = device_fail(dev, rc, "rate %.64s is not BYTES,MICROSECONDS", text);
	free(text);
	return rc;
}

/* The TAP is there before a hotplug script runs: that is what the script works on. */
static int vif_probe(struct device *dev)
{
	char *name = device_back_string(dev, "vifname");
	struct vif *vif = vif_of(dev);
	unsigned int mtu = MTU_DEFAULT;
	int rc;

	if (!name && asprintf(&name, "vif%u.%u", dev->domid, dev->devid) < 0)
		return device_fail(dev, -ENOMEM, "no memory");
	rc = mtu_read(dev, &mtu);
	if (rc == 0)
		rc = rate_read(dev, &vif->rate);
	if (rc)
		goto out;
	rc = uplink_open(&vif->uplink, name, mtu);
	if (rc)
		rc = uplink_fail(vif, rc);
out:
	free(name);
	return rc;
}

static int vif_open(struct device *dev)
{
	struct vif *vif = vif_of(dev);
	char *bridge;
	int rc;

	/* When the backend before us died with the TAP, no script runs again: do what most do. */
	if (dev->script && !dev->recovering)
		return 0;
	bridge = device_back_string(dev, "bridge");
	rc = uplink_join(&vif->uplink, bridge);
	free(bridge);
	return rc ? uplink_fail(vif, rc) : 0;
}

/* Each of them, for some frontends take a missing node for another value than 0. */
static int vif_publish(struct device *dev, struct xs_handle *xs, xs_transaction_t t)
{
	static const struct {
		const char *name;
		unsigned int value;
	} nodes[] = {
		{"feature-rx-copy", 1},
		{"feature-rx-flip", 0},
		{"feature-sg", 1},
		{"feature-gso-tcpv4", 1},
		{"feature-gso-tcpv6", 1},
		{"feature-no-csum-offload", 0},
		{"feature-ipv6-csum-offload", 1},
		{"feature-split-event-channels", 1},
		{"feature-multicast-control", 0},
		{"feature-dynamic-multicast-control", 0},
		{"feature-ctrl-ring", 0},
		{"multi-queue-max-queues", VIF_QUEUES_MAX},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(nodes) / sizeof(nodes[0]); i++)
		rc = xs_write_number(xs, t, nodes[i].value, "%s/%s", dev->back, nodes[i].name);
	return rc;
}

/* A node that means yes or no; any number but 0 is yes. */
static int flag_read(struct device *dev, const char *node, bool missing, bool *flag)
{
	uint64_t value;
	int rc = device_front_number(dev, UINT32_MAX, missing, &value, "%s", node);

	if (rc == 0)
		*flag = value != 0;
	return rc;
}

static int features_read(struct device *dev, struct vif_connect *connect)
{
	struct net_features *features = &connect->features;
	bool copy, no_csum = false;
	int rc;

	rc = flag_read(dev, "request-rx-copy", false, &copy);
	if (rc == 0 && !copy)
		rc = device_fail(
			dev, -EOPNOTSUPP,
			"request-rx-copy is not 1; use a frontend that takes copied packets");
	if (rc == 0)
		rc = flag_read(dev, "feature-rx-notify", false, &connect->rx_notify);
	if (rc == 0)
		rc = flag_read(dev, "feature-sg", false, &features->sg);
	if (rc == 0)
		rc = flag_read(dev, "feature-gso-tcpv4", false, &features->gso_tcpv4);
	if (rc == 0)
		rc = flag_read(dev, "feature-gso-tcpv6", false, &features->gso_tcpv6);
	if (rc == 0)
		rc = flag_read(dev, "feature-no-csum-offload", false, &no_csum);
	if (rc == 0)
		rc = flag_read(dev, "feature-ipv6-csum-offload", false, &features->csum_ipv6);
	features->csum_ipv4 = !no_csum;
	return rc;
}

/* One channel for both rings, or one for each; @in is "" or "queue-N/". */
static int ports_read(struct device *dev, const char *in, uint32_t *tx, uint32_t *rx)
{
	uint64_t tx_port, rx_port;
	int rc;

	if (xs_exists(dev->xs, XBT_NULL, "%s/%sevent-channel-tx", dev->front, in)) {
		rc = device_front_required(dev, UINT32_MAX, &tx_port, "%sevent-channel-tx", in);
		if (rc == 0)
			rc = device_front_required(dev, UINT32_MAX, &rx_port, "%sevent-channel-rx",
						   in);
	} else {
		rc = device_front_required(dev, UINT32_MAX, &tx_port, "%sevent-channel", in);
		rx_port = tx_port;
	}
	if (rc)
		return rc;
	*tx = (uint32_t)tx_port;
	*rx = (uint32_t)rx_port;
	return 0;
}

static int queue_read(struct device *dev, struct vif_connect *connect, uint32_t index)
{
	uint64_t tx_ref, rx_ref;
	char in[24] = "";
	int rc;

	if (connect->queues > 1)
		snprintf(in, sizeof(in), "queue-%u/", index);
	rc = device_front_required(dev, UINT32_MAX, &tx_ref, "%stx-ring-ref", in);
	if (rc == 0)
		rc = device_front_required(dev, UINT32_MAX, &rx_ref, "%srx-ring-ref", in);
	if (rc)
		return rc;
	connect->queue[index].tx_ref = (uint32_t)tx_ref;
	connect->queue[index].rx_ref = (uint32_t)rx_ref;
	return ports_read(dev, in, &connect->queue[index].tx_port, &connect->queue[index].rx_port);
}

static int queues_read(struct device *dev, struct vif_connect *connect)
{
	uint64_t queues;
	int rc = device_front_number(dev, VIF_QUEUES_MAX, 1, &queues, "multi-queue-num-queues");

	if (rc == 0 && queues == 0)
		rc = device_fail(dev, -EINVAL, "multi-queue-num-queues is 0; at least 1 is needed");
	if (rc)
		return rc;
	connect->queues = (uint32_t)queues;
	for (uint32_t index = 0; rc == 0 && index < connect->queues; index++)
		rc = queue_read(dev, connect, index);
	return rc;
}

static int vif_connect(struct device *dev, void *payload, int *fds, size_t *count)
{
	struct vif *vif = vif_of(dev);
	struct vif_connect *connect = payload;
	int rc;

	rc = features_read(dev, connect);
	if (rc == 0)
		rc = queues_read(dev, connect);
	if (rc == 0)
		rc = device_journal(dev, connect->queues * sizeof(struct net_log));
	if (rc)
		return rc;
	vif->queues = connect->queues;
	connect->rate = vif->rate;
	rc = uplink_start(&vif->uplink, connect->queues, net_offload_tun(&connect->features));
	if (rc) {
		uplink_stop(&vif->uplink);
		return uplink_fail(vif, rc);
	}
	connect->journal = dev->journal.fd >= 0;
	if (connect->journal)
		fds[(*count)++] = dev->journal.fd;
	memcpy(fds + *count, vif->uplink.fd, connect->queues * sizeof(fds[0]));
	*count += connect->queues;
	return 0;
}

/* Is the worker in the middle of a pass? */
static bool vif_progress(struct device *dev, uint64_t *answered, char *text, size_t size)
{
	bool busy = false;

	*answered = 0;
	for (uint32_t index = 0; index < vif_of(dev)->queues; index++) {
		struct net_log_head heads[2];

		if (journal_read(&dev->journal, (off_t)(index * sizeof(struct net_log)), heads,
				 sizeof(heads)))
			break;
		for (int ring = 0; ring < 2; ring++) {
			*answered += heads[ring].answered;
			if (heads[ring].taken == heads[ring].answered)
				continue;
			busy = true;
			snprintf(text, size, "queue %u, %s request %u", index, ring ? "RX" : "TX",
				 heads[ring].answered);
		}
	}
	return busy;
}

static void vif_disconnected(struct device *dev)
{
	uplink_stop(&vif_of(dev)->uplink);
}

static void vif_close(struct device *dev)
{
	uplink_close(&vif_of(dev)->uplink);
}

const struct device_class vif_device_class = {
	.name = "vif",
	.kind = WORKER_VIF,
	.traits = {.connect_on_initialised = false, .reconfigures = false},
	.size = sizeof(struct vif),
	.probe = vif_probe,
	.open = vif_open,
	.publish = vif_publish,
	.connect = vif_connect,
	.progress = vif_progress,
	.disconnected = vif_disconnected,
	.close = vif_close,
};
