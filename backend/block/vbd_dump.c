/* The supervisor's half of a vbd: the rings of a live disk, asked of its worker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/block/dump.h"
#include "backend/block/queue.h"
#include "backend/block/vbd_device.h"
#include "lib/json.h"
#include "lib/sealed.h"

static struct vbd_device *self(struct device *dev)
{
	return (struct vbd_device *)dev;
}

/* ---- as JSON ---- */

static const char *operation_name(uint8_t operation)
{
	static const char *const names[] = {
		[BLKIF_OP_READ] = "read",
		[BLKIF_OP_WRITE] = "write",
		[BLKIF_OP_WRITE_BARRIER] = "barrier",
		[BLKIF_OP_FLUSH_DISKCACHE] = "flush",
		[BLKIF_OP_DISCARD] = "discard",
	};

	return operation < sizeof(names) / sizeof(names[0]) ? names[operation] : NULL;
}

static void slot_tell(yajl_gen json, const struct dump_slot *slot)
{
	static const char *const states[DUMP_STATES] = {
		NULL, "to be replayed", "pending", "running", "finished",
	};

	yajl_gen_map_open(json);
	json_number(json, "slot", slot->slot);
	json_string(json, "state", slot->state < DUMP_STATES ? states[slot->state] : NULL);
	json_string(json, "operation", operation_name(slot->operation));
	json_number(json, "sector", (long long)(slot->offset / BLK_SECTOR_SIZE));
	json_number(json, "bytes", (long long)slot->length);
	json_number(json, "segments", slot->segments);
	json_number(json, "id", (long long)slot->id);
	json_number(json, "age_us", (long long)(slot->age_ns / 1000));
	yajl_gen_map_close(json);
}

static void queue_tell(yajl_gen json, const struct dump_queue *queue)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} flags[] = {{"stopped", DUMP_STOPPED},
		     {"draining", DUMP_DRAINING},
		     {"blocked", DUMP_BLOCKED},
		     {"limited", DUMP_WAITING},
		     {"barrier", DUMP_BARRIER}};
	uint32_t count = queue->count < DUMP_SLOTS ? queue->count : DUMP_SLOTS;

	yajl_gen_map_open(json);
	json_number(json, "entries", queue->entries);
	json_number(json, "port", queue->port);
	json_number(json, "req_prod", queue->req_prod);
	json_number(json, "req_event", queue->req_event);
	json_number(json, "req_cons", queue->req_cons);
	json_number(json, "rsp_prod", queue->rsp_prod);
	json_number(json, "rsp_event", queue->rsp_event);
	json_number(json, "rsp_prod_pvt", queue->rsp_prod_pvt);
	for (size_t n = 0; n < sizeof(flags) / sizeof(flags[0]); n++)
		json_bool(json, flags[n].name, queue->flags & flags[n].flag);
	json_key(json, "requests");
	yajl_gen_array_open(json);
	for (uint32_t n = 0; n < count; n++)
		slot_tell(json, &queue->slot[n]);
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
}

/* @dump: a copy of @queues queues. */
static void dump_tell(yajl_gen json, const struct device *dev, const struct dump *dump,
		      unsigned queues)
{
	yajl_gen_map_open(json);
	json_key(json, "dump");
	yajl_gen_map_open(json);
	json_number(json, "domid", dev->domid);
	json_number(json, "devid", dev->devid);
	json_number(json, "running", dump->running);
	json_bool(json, "paused", dump->held & BLK_HELD_PAUSED);
	json_bool(json, "changing", dump->held & BLK_HELD_CHANGE);
	json_key(json, "queues");
	yajl_gen_array_open(json);
	for (unsigned n = 0; n < queues; n++)
		queue_tell(json, &dump->queue[n]);
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
	yajl_gen_map_close(json);
}

static void error_tell(yajl_gen json, const char *words)
{
	yajl_gen_map_open(json);
	json_string(json, "error", words);
	yajl_gen_map_close(json);
}

/* ---- asked and answered ---- */

static size_t dump_size(unsigned queues)
{
	return sizeof(struct dump) + queues * sizeof(struct dump_queue);
}

int vbd_dump(struct device *dev, device_dumped done, void *arg)
{
	struct vbd_device *vbd = self(dev);
	struct vbd_change change = {.kind = VBD_CHANGE_DUMP};
	int fd, rc;

	if (!device_running(dev))
		return -ENOTCONN;
	if (vbd->dump.done)
		return -EBUSY;
	fd = sealed_memory("xsplit-dump", dump_size(vbd->rings));
	if (fd < 0)
		return fd;
	rc = device_change(dev, &change, sizeof(change), &fd, 1, &vbd->dump.change);
	if (rc) {
		close(fd);
		return rc;
	}
	vbd->dump.fd = fd;
	vbd->dump.done = done;
	vbd->dump.arg = arg;
	return 0;
}

void vbd_dump_end(struct device *dev, const char *why)
{
	struct vbd_device *vbd = self(dev);
	struct vbd_dumping dumping = vbd->dump;
	size_t size = dump_size(vbd->rings), length;
	yajl_gen json;
	struct dump *copy;
	const unsigned char *text;

	if (!dumping.done)
		return;
	vbd->dump = (struct vbd_dumping){0};
	copy = why ? NULL : malloc(size);
	if (!why && (!copy || pread(dumping.fd, copy, size, 0) != (ssize_t)size))
		why = "out of memory";
	close(dumping.fd);
	json = yajl_gen_alloc(NULL);
	if (json && why)
		error_tell(json, why);
	else if (json)
		dump_tell(json, dev, copy, vbd->rings);
	free(copy);
	if (json && yajl_gen_get_buf(json, &text, &length) == yajl_gen_status_ok)
		dumping.done(dumping.arg, (const char *)text);
	else
		dumping.done(dumping.arg, "{\"error\":\"out of memory\"}");
	if (json)
		yajl_gen_free(json);
}
