#include "backend/block/vbd_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int vbd_stats_open(struct vbd_stats *stats)
{
	void *memory;
	int rc;

	if (stats->queue)
		return 0;
	stats->fd = memfd_create("xsplit-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (stats->fd < 0)
		return -errno;
	if (ftruncate(stats->fd, VBD_STATS_SIZE) ||
	    fcntl(stats->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		goto fail;
	memory = mmap(NULL, VBD_STATS_SIZE, PROT_READ, MAP_SHARED, stats->fd, 0);
	if (memory == MAP_FAILED)
		goto fail;
	stats->queue = memory;
	return 0;

fail:
	rc = -errno;
	close(stats->fd);
	return rc;
}

void vbd_stats_close(struct vbd_stats *stats)
{
	if (!stats->queue)
		return;
	munmap((void *)stats->queue, VBD_STATS_SIZE);
	close(stats->fd);
	stats->queue = NULL;
}

struct stats_queue *vbd_stats_map(int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *memory = mmap(NULL, VBD_STATS_SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void vbd_stats_unmap(struct stats_queue *queue)
{
	if (queue)
		munmap(queue, VBD_STATS_SIZE);
}
