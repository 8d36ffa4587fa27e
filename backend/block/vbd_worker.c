/* The worker's half of a vbd: its rings mapped, its queues running. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/block/queue.h"
#include "backend/block/remote.h"
#include "backend/block/sectors.h"
#include "backend/block/vbd.h"
#include "backend/block/vbd_stats.h"

struct vbd {
	struct worker_device dev;
	struct blk_disk disk;
	struct vbd_connect connect;
	int journal;           /* kept open for its lock, or -1 */
	int fd;                /* the image, or -1 */
	struct remote *remote; /* instead, or NULL */
	struct sectors sectors;
	uint8_t *inflight;
	struct stats_queue *stats;
	bool closing;
	enum vbd_change_kind changing; /* when nothing runs any more; or 0 */
	struct blk_geometry geometry;  /* GEOMETRY: it gets this */
	struct {
		void *ring;
		struct queue *queue;
		evtchn_port_t port;
		bool bound;
	} ring[VBD_QUEUES_MAX];
};

size_t vbd_ring_journal(const struct vbd_connect *connect)
{
	unsigned entries = request_ring_entries((enum blk_abi)connect->abi, 1u << connect->order);

	return inflight_size(entries);
}

static void ring_stop(struct vbd *vbd, unsigned n)
{
	struct worker *worker = vbd->dev.worker;

	if (vbd->ring[n].bound)
		events_unbind(worker->events, vbd->ring[n].port);
	if (vbd->ring[n].queue)
		queue_close(vbd->ring[n].queue);
	if (vbd->ring[n].ring)
		xengnttab_unmap(worker->gnttab, vbd->ring[n].ring, 1u << vbd->connect.order);
	memset(&vbd->ring[n], 0, sizeof(vbd->ring[n]));
}

static bool keeps(const struct vbd *vbd)
{
	return vbd->connect.persistent && vbd->connect.settings.persistent;
}

static int ring_start(struct vbd *vbd, unsigned n)
{
	struct worker *worker = vbd->dev.worker;
	struct queue_options options = {
		.dev = &vbd->dev,
		.disk = &vbd->disk,
		.abi = (enum blk_abi)vbd->connect.abi,
		.pages = 1u << vbd->connect.order,
		.stats = &vbd->stats[n],
		.persistent = keeps(vbd),
		.fd = vbd->fd,
		.inflight = vbd->inflight + n * vbd_ring_journal(&vbd->connect),
		.remote = vbd->remote,
		.sectors = vbd->connect.alignment > BLK_SECTOR_SIZE ? &vbd->sectors : NULL,
	};
	int rc;

	options.ring = xengnttab_map_domain_grant_refs(worker->gnttab, options.pages, worker->domid,
						       vbd->connect.queue[n].ref,
						       PROT_READ | PROT_WRITE);
	if (!options.ring)
		return worker_fail(&vbd->dev, -errno, "ring %u: ring-ref %u cannot be mapped: %s",
				   n, vbd->connect.queue[n].ref[0], strerror(errno));
	vbd->ring[n].ring = options.ring;
	rc = queue_open(&vbd->ring[n].queue, &options);
	if (rc)
		return worker_fail(&vbd->dev, rc, "ring %u cannot be started: %s", n,
				   rc == -EPROTO ? "its indices are nonsense" : strerror(-rc));
	rc = events_bind(worker->events, worker->domid, vbd->connect.queue[n].port, queue_kick,
			 vbd->ring[n].queue, &vbd->ring[n].port);
	if (rc)
		return worker_fail(&vbd->dev, rc, "ring %u: event-channel %u cannot be bound: %s",
				   n, vbd->connect.queue[n].port, strerror(-rc));
	vbd->ring[n].bound = true;
	queue_bound(vbd->ring[n].queue, vbd->ring[n].port);
	return 0;
}

/* Private memory where the supervisor has no file for us. */
static int inflight_map(struct vbd *vbd)
{
	int flags = vbd->journal < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *memory = mmap(NULL, vbd->connect.queues * vbd_ring_journal(&vbd->connect),
			    PROT_READ | PROT_WRITE, flags, vbd->journal, 0);

	if (memory == MAP_FAILED)
		return worker_fail(&vbd->dev, -errno, "its in-flight log cannot be mapped: %s",
				   strerror(errno));
	vbd->inflight = memory;
	return 0;
}

static void rings_stop(struct vbd *vbd)
{
	for (unsigned n = 0; n < VBD_QUEUES_MAX; n++)
		ring_stop(vbd, n);
	if (vbd->inflight)
		munmap(vbd->inflight, vbd->connect.queues * vbd_ring_journal(&vbd->connect));
	vbd->inflight = NULL;
	if (vbd->disk.drained)
		event_free(vbd->disk.drained);
	vbd->disk.drained = NULL;
	line_close(&vbd->disk.line);
	stall_close(&vbd->disk.stall);
	vbd_stats_unmap(vbd->stats);
	vbd->stats = NULL;
	remote_close(vbd->remote);
	vbd->remote = NULL;
}

static void on_want(void *arg, unsigned n, const char *why)
{
	struct vbd *vbd = arg;

	worker_want(&vbd->dev, n, why);
}

static int remote_start(struct vbd *vbd)
{
	struct vbd_remote *from = &vbd->connect.remote;
	const struct remote_options options = {
		.base = vbd->dev.worker->base,
		.name = vbd->dev.name,
		.export = from->export,
		.size = vbd->connect.geometry.size,
		.length_max = from->length_max,
		.read_only = vbd->connect.geometry.read_only,
		.alignment = vbd->connect.alignment,
		.connections = from->connections,
		.want = on_want,
		.arg = vbd,
	};

	from->export[sizeof(from->export) - 1] = '\0';
	return from->connections ? remote_open(&vbd->remote, &options) : 0;
}

/* Nothing runs: the change that waited for it. */
static void change_finish(struct vbd *vbd)
{
	if (vbd->changing == VBD_CHANGE_GEOMETRY) {
		vbd->disk.geometry = vbd->geometry;
		disk_release(&vbd->disk, BLK_HELD_CHANGE);
	}
	vbd->changing = 0;
	worker_changed(&vbd->dev, 0);
}

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
	struct vbd *vbd = arg;

	if (vbd->disk.running)
		return;
	if (vbd->changing && !vbd->closing)
		change_finish(vbd);
	if (!vbd->closing)
		return;
	rings_stop(vbd);
	if (vbd->fd >= 0)
		close(vbd->fd);
	if (vbd->journal >= 0)
		close(vbd->journal);
	worker_disconnected(&vbd->dev);
}

static int vbd_connect(struct worker_device *dev, const void *payload, const int *fds, size_t count)
{
	struct vbd *vbd = (struct vbd *)dev;
	struct vbd_connect *connect = &vbd->connect;
	size_t used = 0;
	int rc, stats;

	memcpy(connect, payload, sizeof(*connect));
	if (!connect->queues || connect->queues > VBD_QUEUES_MAX ||
	    connect->order > VBD_ORDER_MAX ||
	    count != (size_t)connect->journal + connect->stats + connect->image)
		return worker_fail(dev, -EINVAL, "the supervisor's request is broken");
	vbd->journal = connect->journal ? fds[used++] : -1;
	stats = connect->stats ? fds[used++] : -1;
	vbd->fd = connect->image ? fds[used++] : -1;
	sectors_init(&vbd->sectors, connect->alignment);
	vbd->disk.geometry = connect->geometry;
	vbd->disk.held = settings_hold(&connect->settings) ? BLK_HELD_PAUSED : 0;
	vbd->disk.careful = connect->careful;
	rc = inflight_map(vbd);
	if (rc)
		return rc;
	poller_open(&vbd->disk.poller);
	poller_enable(&vbd->disk.poller, connect->settings.polling);
	vbd->disk.drained = event_new(dev->worker->base, -1, 0, on_drained, vbd);
	vbd->stats = vbd_stats_map(stats);
	if (!vbd->disk.drained || !vbd->stats || line_open(&vbd->disk.line, dev->worker->base) ||
	    stall_open(&vbd->disk.stall, dev, &vbd->disk) || remote_start(vbd))
		rc = worker_fail(dev, -ENOMEM, "out of memory");
	if (!rc) {
		line_limit(&vbd->disk.line, &connect->settings.qos);
		stall_limit(&vbd->disk.stall, connect->settings.timeout_s);
		inject_set(&vbd->disk.inject, &connect->settings.inject);
	}
	for (unsigned n = 0; !rc && n < connect->queues; n++)
		rc = ring_start(vbd, n);
	if (rc)
		rings_stop(vbd);
	else if (stats >= 0)
		close(stats);
	return rc;
}

static void vbd_disconnect(struct worker_device *dev)
{
	struct vbd *vbd = (struct vbd *)dev;

	vbd->closing = true;
	inject_release(&vbd->disk.inject);
	vbd->disk.inject.rules.count = 0;
	if (vbd->remote)
		remote_abandon(vbd->remote);
	for (unsigned n = 0; n < vbd->connect.queues; n++) {
		events_unbind(dev->worker->events, vbd->ring[n].port);
		vbd->ring[n].bound = false;
		queue_drain(vbd->ring[n].queue);
	}
	event_active(vbd->disk.drained, EV_TIMEOUT, 0);
}

/* What is held is held at once; the answer waits for what runs. */
static int settings_change(struct vbd *vbd, const struct settings *settings)
{
	line_limit(&vbd->disk.line, &settings->qos);
	poller_enable(&vbd->disk.poller, settings->polling);
	stall_limit(&vbd->disk.stall, settings->timeout_s);
	inject_set(&vbd->disk.inject, &settings->inject);
	if (vbd->connect.settings.persistent != settings->persistent) {
		vbd->connect.settings.persistent = settings->persistent;
		for (unsigned n = 0; n < vbd->connect.queues; n++)
			queue_keep(vbd->ring[n].queue, keeps(vbd));
	}
	if (!settings_hold(settings)) {
		disk_release(&vbd->disk, BLK_HELD_PAUSED);
		return 0;
	}
	disk_hold(&vbd->disk, BLK_HELD_PAUSED);
	inject_release(&vbd->disk.inject);
	if (!vbd->disk.running)
		return 0;
	vbd->changing = VBD_CHANGE_SETTINGS;
	return -EINPROGRESS;
}

static int geometry_change(struct vbd *vbd, const struct blk_geometry *geometry)
{
	if (geometry->size >= vbd->disk.geometry.size || !vbd->disk.running) {
		vbd->disk.geometry = *geometry;
		return 0;
	}
	disk_hold(&vbd->disk, BLK_HELD_CHANGE);
	inject_release(&vbd->disk.inject);
	vbd->geometry = *geometry;
	vbd->changing = VBD_CHANGE_GEOMETRY;
	return -EINPROGRESS;
}

static int dump_write(struct vbd *vbd, int fd)
{
	size_t size = sizeof(struct dump) + vbd->connect.queues * sizeof(struct dump_queue);
	struct dump *dump = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (dump == MAP_FAILED)
		return worker_fail(&vbd->dev, -errno, "the dump's memory cannot be mapped: %s",
				   strerror(errno));
	dump->running = vbd->disk.running;
	dump->held = vbd->disk.held;
	for (unsigned n = 0; n < vbd->connect.queues; n++)
		queue_dump(vbd->ring[n].queue, &dump->queue[n]);
	munmap(dump, size);
	close(fd);
	return 0;
}

static int connection_take(struct vbd *vbd, const struct vbd_change *change, const int *fds,
			   size_t count)
{
	if (!vbd->remote || count != 1)
		return worker_fail(&vbd->dev, -EINVAL, "it has no use for a connection");
	(void)remote_connected(vbd->remote, change->connection, fds[0]);
	return 0;
}

static int vbd_change(struct worker_device *dev, const void *payload, const int *fds, size_t count)
{
	struct vbd *vbd = (struct vbd *)dev;
	const struct vbd_change *change = payload;

	if (change->kind == VBD_CHANGE_DUMP && count == 1)
		return dump_write(vbd, fds[0]);
	if (change->kind == VBD_CHANGE_CONNECTION)
		return connection_take(vbd, change, fds, count);
	if (vbd->changing)
		return worker_fail(dev, -EBUSY, "it is being changed; try again");
	switch ((enum vbd_change_kind)change->kind) {
	case VBD_CHANGE_SETTINGS:
		return settings_change(vbd, &change->settings);
	case VBD_CHANGE_GEOMETRY:
		return geometry_change(vbd, &change->geometry);
	case VBD_CHANGE_DUMP:
	case VBD_CHANGE_CONNECTION:
		break;
	}
	return worker_fail(dev, -EINVAL, "the supervisor's request is broken");
}

const struct worker_class vbd_worker_class = {
	.name = "vbd",
	.size = sizeof(struct vbd),
	.connect = vbd_connect,
	.disconnect = vbd_disconnect,
	.change = vbd_change,
};
