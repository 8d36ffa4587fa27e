#include "frontend/kernel/disk.h"

#include "frontend/core/blkfront.h"
#include "frontend/kernel/platform.h"
#include "frontend/kernel/store.h"
#include "frontend/kernel/world.h"

static struct {
	struct blkfront *front;
	uint32_t done; /* requests completed */
	int status;
	bool ended;
	const char *broken;
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

int disk_open(void)
{
	struct platform *platform = platform_start();
	uint64_t end = world_now() + WORLD_PATIENCE_NS;
	char path[64];
	int rc = platform ? path_find(path, sizeof(path)) : -ENODEV;

	if (!rc)
		rc = blkfront_create(platform, path, &events, NULL, &disk.front);
	if (rc)
		return rc == -ENOENT ? -ENODEV : rc;
	while (!blkfront_info(disk.front)) {
		store_watches();
		smp_yield();
		if (disk.ended || world_now() > end) {
			blkfront_destroy(disk.front);
			disk.front = NULL;
			return -ETIMEDOUT;
		}
	}
	return 0;
}

uint64_t disk_size(void)
{
	return blkfront_info(disk.front)->size;
}

/* With interrupts off, which is the device's lock: its handler runs on this vcpu alone. */
static int request(enum blk_operation operation, uint64_t offset, void *data, size_t length)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS;
	uint32_t before = disk.done;
	struct blkslot *slot;
	int rc;

	cpu_interrupts_off();
	rc = blkfront_begin(disk.front, operation, offset, length, NULL, &slot);
	if (rc)
		goto out;
	if (operation == BLK_WRITE)
		blkfront_fill(disk.front, slot, data);
	rc = blkfront_submit(disk.front, slot);
	while (!rc && __atomic_load_n(&disk.done, __ATOMIC_ACQUIRE) == before) {
		cpu_wait();
		if (world_now() > end)
			rc = -ETIMEDOUT;
	}
	if (!rc)
		rc = disk.status;
	if (!rc && operation == BLK_READ)
		blkfront_drain(disk.front, slot, data);
	blkfront_end(disk.front, slot);
out:
	cpu_interrupts_on();
	return rc;
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
	uint64_t end = world_now() + 5 * WORLD_PATIENCE_NS;

	blkfront_leave(disk.front, NULL);
	while (!disk.ended && world_now() < end) {
		store_watches();
		smp_yield();
	}
	blkfront_destroy(disk.front);
	disk.front = NULL;
}
