#include "frontend/kernel/disk.h"

#include "frontend/core/blkfront.h"
#include "frontend/kernel/platform.h"
#include "frontend/kernel/store.h"
#include "frontend/kernel/world.h"

#define ERESTART 85 /* as blkfront has it: the backend went, ask again */

/* A sleep and a wakening cost half as much, about. Longer nobody looks for an answer; nor when the
 * last one took longer, but for one in so many. */
#define LOOK_NS  UINT64_C(500000)
#define LOOK_TRY 16u

static struct {
	struct blkfront *front;
	uint32_t done; /* requests completed */
	int status;
	bool ended;
	const char *broken;
	/* The request. */
	enum blk_operation operation;
	uint64_t offset;
	void *data;
	size_t length;
	struct blkslot
		*slot;   /* it is on the ring, also when nobody waits for its answer any more */
	uint32_t before; /* .done then */
	uint64_t began, took; /* this one, the last one; ns */
} disk;

static void changed(void *arg)
{
}

static void completed(void *arg, struct blkslot *slot)
{
	disk.status = slot->status;
	__atomic_fetch_add(&disk.done, 1, __ATOMIC_SEQ_CST);
}

static void room(void *arg)
{
}

static void broken(void *arg, const char *reason)
{
	disk.broken = reason;
}

static void ended(void *arg)
{
	disk.ended = true;
}

static const struct blkfront_events events = {
	.changed = changed, .completed = completed, .room = room, .broken = broken, .ended = ended};

/* The first of device/vbd that a backend is named for. */
static int path_find(char *path, size_t size)
{
	char names[256];
	int length = store_names("device/vbd", names, sizeof(names));

	if (length <= 0)
		return -ENODEV;
	print_into(path, size, "device/vbd/%s", names);
	return 0;
}

static int connected_wait(void)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS;

	while (!blkfront_info(disk.front)) {
		store_watches();
		store_sleep();
		if (disk.ended || world_now() > end)
			return -ETIMEDOUT;
	}
	return 0;
}

int disk_open(void)
{
	struct platform *platform = platform_start();
	char path[64];
	int rc = platform ? path_find(path, sizeof(path)) : -ENODEV;

	disk.ended = false;
	if (!rc)
		rc = blkfront_create(platform, path, &events, NULL, &disk.front);
	if (rc)
		return rc == -ENOENT ? -ENODEV : rc;
	rc = connected_wait();
	if (rc) {
		blkfront_destroy(disk.front);
		disk.front = NULL;
	}
	return rc;
}

int disk_resume(void)
{
	return blkfront_resume(disk.front);
}

uint64_t disk_size(void)
{
	return blkfront_info(disk.front)->size;
}

/* With interrupts off, which is the device's lock: its handler runs on this vcpu alone. */
static int submit(void)
{
	bool on = cpu_interrupts_save();
	int rc = blkfront_begin(disk.front, disk.operation, disk.offset, disk.length, NULL,
				&disk.slot);

	if (rc)
		goto out;
	if (disk.operation == BLK_WRITE)
		blkfront_fill(disk.front, disk.slot, disk.data);
	disk.before = disk.done;
	disk.began = world_now();
	rc = blkfront_submit(disk.front, disk.slot);
	if (rc) {
		blkfront_end(disk.front, disk.slot);
		disk.slot = NULL;
	}
out:
	cpu_interrupts_restore(on);
	return rc;
}

static bool answered(void)
{
	return __atomic_load_n(&disk.done, __ATOMIC_ACQUIRE) != disk.before;
}

static void slot_end(void)
{
	bool on = cpu_interrupts_save();

	blkfront_end(disk.front, disk.slot);
	disk.slot = NULL;
	cpu_interrupts_restore(on);
}

static int begin(enum blk_operation operation, uint64_t offset, void *data, size_t length)
{
	int rc;

	if (disk.slot && !answered())
		return -EBUSY;
	if (disk.slot)
		slot_end();
	disk.operation = operation;
	disk.offset = offset;
	disk.data = data;
	disk.length = length;
	rc = connected_wait();
	return rc ? rc : submit();
}

/* Awake for a while, if that is likely to do. Others' interrupts are taken meanwhile. */
static void answer_look(void)
{
	if (disk.took > LOOK_NS && disk.done % LOOK_TRY)
		return;
	do {
		cpu_interrupts_off();
		blkfront_look(disk.front);
		cpu_interrupts_on();
		cpu_relax();
	} while (!answered() && world_now() - disk.began < LOOK_NS);
}

/* Asleep until it comes. */
static int answer_sleep(void)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS;
	int rc = 0;

	cpu_interrupts_off();
	blkfront_listen(disk.front);
	while (!rc && !answered()) {
		cpu_wait();
		if (world_now() > end)
			rc = -ETIMEDOUT;
	}
	cpu_interrupts_on();
	return rc;
}

static int answer_wait(void)
{
	int rc = 0;

	answer_look();
	if (!answered())
		rc = answer_sleep();
	disk.took = world_now() - disk.began;
	/* A late answer is to this request: nobody else may get its slot before. */
	if (rc)
		return rc;
	rc = disk.status;
	if (!rc && disk.operation == BLK_READ)
		blkfront_drain(disk.front, disk.slot, disk.data);
	slot_end();
	return rc;
}

static int end(void)
{
	uint64_t until = world_now() + WORLD_PATIENCE_NS;
	int rc = answer_wait();

	while (rc == -ERESTART && world_now() < until) {
		rc = connected_wait();
		if (!rc)
			rc = submit();
		if (!rc)
			rc = answer_wait();
	}
	return rc;
}

static int request(enum blk_operation operation, uint64_t offset, void *data, size_t length)
{
	int rc = begin(operation, offset, data, length);

	return rc ? rc : end();
}

int disk_begin_read(uint64_t offset, void *data, size_t length)
{
	return begin(BLK_READ, offset, data, length);
}

int disk_end_read(void)
{
	return end();
}

int disk_read(uint64_t offset, void *data, size_t length)
{
	return request(BLK_READ, offset, data, length);
}

int disk_write(uint64_t offset, void *data, size_t length)
{
	return request(BLK_WRITE, offset, data, length);
}

void disk_close(void)
{
	uint64_t end = world_now() + 2 * WORLD_PATIENCE_NS;

	blkfront_leave(disk.front, NULL);
	while (!disk.ended && world_now() < end) {
		store_watches();
		store_sleep();
	}
	blkfront_destroy(disk.front);
	disk.front = NULL;
	disk.slot = NULL;
}
