#include "backend/block/image_size.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/block/request.h"

int image_measure(const struct image *image, uint64_t *size)
{
	uint64_t bytes;
	struct stat st;

	if (image->fd < 0)
		return -EOPNOTSUPP;
	if (fstat(image->fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode))
		bytes = (uint64_t)st.st_size;
	else if (!S_ISBLK(st.st_mode))
		return -EOPNOTSUPP;
	else if (ioctl(image->fd, BLKGETSIZE64, &bytes))
		return -errno;
	*size = bytes - bytes % image->alignment;
	return 0;
}

int image_truncate(const struct image *image, uint64_t size, char *why, size_t room)
{
	struct stat st;
	int rc = 0;

	if (image->fd < 0 || fstat(image->fd, &st) || !S_ISREG(st.st_mode)) {
		snprintf(why, room,
			 "only a file is given another size here; change that of a block device "
			 "(lvextend), then look at it without a SIZE");
		return -EOPNOTSUPP;
	}
	if (ftruncate(image->fd, (off_t)size))
		rc = -errno;
	if (rc)
		snprintf(why, room, "its image cannot be made %llu bytes long: %s%s",
			 (unsigned long long)size, strerror(-rc),
			 image->read_only ? "; it is open read-only, change it from outside" : "");
	return rc;
}

void image_resized(struct image *image, uint64_t size)
{
	image->size = size;
	if (size % image->physical_sector)
		image->physical_sector = BLK_SECTOR_SIZE;
}
