#include "backend/block/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backend/block/image_lock.h"
#include "backend/block/sectors.h"
#include "lib/log.h"
#include "lib/number.h"

#define SECTOR_SIZE 512u
#define PAGE_SIZE   4096u

static int null_open(struct image *image, const char *bytes, char *why, size_t size)
{
	uint64_t length;

	if (number_parse(bytes, INT64_MAX, &length) || length < SECTOR_SIZE) {
		snprintf(why, size, "params null:%s is not null:BYTES with 512 bytes or more",
			 bytes);
		return -EINVAL;
	}
	image->size = length / SECTOR_SIZE * SECTOR_SIZE;
	image->can_discard = true;
	image->can_erase = true;
	image->discard_granularity = SECTOR_SIZE;
	image->physical_sector = SECTOR_SIZE;
	return 0;
}

/* Is O_DIRECT content with so many bytes? */
static bool direct_tried(int fd, uint32_t alignment)
{
	void *memory;
	bool works;

	if (posix_memalign(&memory, PAGE_SIZE, 2 * (size_t)alignment))
		return false;
	works = pread(fd, (uint8_t *)memory + alignment, alignment, alignment) >= 0;
	free(memory);
	return works;
}

/* With 512 bytes, or with the storage's own sectors if they divide the image. */
static bool direct_works(struct image *image)
{
	uint32_t sector = PAGE_SIZE;
	int flags = fcntl(image->fd, F_GETFL), logical;

	if (fcntl(image->fd, F_SETFL, flags | O_DIRECT))
		return false;
	if (direct_tried(image->fd, SECTOR_SIZE))
		return true;
	if (!ioctl(image->fd, BLKSSZGET, &logical) && logical >= (int)SECTOR_SIZE)
		sector = (uint32_t)logical;
	if (sector <= SECTORS_ALIGNMENT_MAX && image->size % sector == 0 &&
	    direct_tried(image->fd, sector)) {
		image->alignment = sector;
		return true;
	}
	fcntl(image->fd, F_SETFL, flags);
	return false;
}

/* A number of /sys/dev/block/MAJOR:MINOR, or 0; what a partition has not is its disk's. */
static uint64_t sysfs_limit(dev_t dev, const char *name)
{
	uint64_t value = 0;

	for (int up = 0; up < 2; up++) {
		char path[128], text[32];
		FILE *file;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s%s", major(dev), minor(dev),
			 up ? "../" : "", name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(text, sizeof(text), file)) {
			text[strcspn(text, "\n")] = '\0';
			(void)number_parse(text, UINT64_MAX, &value);
		}
		fclose(file);
		break;
	}
	return value;
}

/* The kernel asks for the ability first, and for sectors then: this one begins with none. */
static bool erase_tried(int fd)
{
	uint64_t range[2] = {1, SECTOR_SIZE};

	return ioctl(fd, BLKSECDISCARD, range) && errno == EINVAL;
}

static int device_probe(struct image *image, const struct stat *st)
{
	unsigned physical = SECTOR_SIZE;

	if (ioctl(image->fd, BLKGETSIZE64, &image->size))
		return -errno;
	if (!ioctl(image->fd, BLKPBSZGET, &physical))
		image->physical_sector = physical;
	image->can_discard = !image->read_only &&
			     sysfs_limit(st->st_rdev, "queue/discard_max_bytes");
	image->can_erase = image->can_discard && erase_tried(image->fd);
	image->discard_granularity =
		(uint32_t)sysfs_limit(st->st_rdev, "queue/discard_granularity");
	image->discard_alignment = (uint32_t)sysfs_limit(st->st_rdev, "discard_alignment");
	return 0;
}

static int file_probe(struct image *image, const struct stat *st)
{
	off_t beyond = (st->st_size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;

	image->size = (uint64_t)st->st_size;
	image->physical_sector = PAGE_SIZE;
	image->discard_granularity = (uint32_t)st->st_blksize;
	/* Beyond its end there is nothing to lose. */
	image->can_discard = !image->read_only &&
			     !fallocate(image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					beyond, PAGE_SIZE);
	return 0;
}

static int open_and_lock(struct image *image, const char *path, struct stat *st, char *why,
			 size_t size)
{
	int flags = (image->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int rc = 0;

	if (!stat(path, st) && S_ISBLK(st->st_mode) && !image->read_only)
		flags |= O_EXCL;
	image->fd = open(path, flags);
	if (image->fd < 0 || fstat(image->fd, st)) {
		rc = -errno;
		snprintf(why, size, "%s cannot be opened %s: %s", path,
			 image->read_only ? "for reading" : "for writing", strerror(-rc));
		if (rc == -EBUSY) /* O_EXCL */
			image_lock_why(rc, path, why, size);
	} else if (!S_ISBLK(st->st_mode) && !S_ISREG(st->st_mode)) {
		rc = -EINVAL;
		snprintf(why, size, "%s is neither a file nor a block device", path);
	} else if (!image->read_only) {
		rc = image_lock_write(image->fd, st, path);
		if (rc)
			image_lock_why(rc, path, why, size);
	}
	if (!rc) /* it only kept a FIFO from blocking us; io_uring would not wait for the disk */
		fcntl(image->fd, F_SETFL, fcntl(image->fd, F_GETFL) & ~O_NONBLOCK);
	return rc == -EMLINK ? -EBUSY : rc;
}

static void round_off(struct image *image, const char *path)
{
	if (image->size % SECTOR_SIZE)
		log_warn("%s: its last %" PRIu64 " bytes are less than a sector and not shown",
			 path, image->size % SECTOR_SIZE);
	image->size -= image->size % SECTOR_SIZE;
	if (image->size % image->physical_sector)
		image->physical_sector = SECTOR_SIZE;
	if (image->discard_granularity < SECTOR_SIZE)
		image->discard_granularity = SECTOR_SIZE;
}

int image_open(struct image *image, const char *path, bool read_only, char *why, size_t size)
{
	struct stat st;
	int rc;

	*image = (struct image){.fd = -1,
				.read_only = read_only,
				.alignment = SECTOR_SIZE,
				.physical_sector = SECTOR_SIZE};
	if (!strncmp(path, "null:", 5))
		return null_open(image, path + 5, why, size);

	rc = open_and_lock(image, path, &st, why, size);
	if (rc)
		goto fail;
	rc = S_ISBLK(st.st_mode) ? device_probe(image, &st) : file_probe(image, &st);
	if (rc) {
		snprintf(why, size, "%s: its size cannot be read: %s", path, strerror(-rc));
		goto fail;
	}
	round_off(image, path);
	if (!image->size) {
		snprintf(why, size, "%s is empty; make it larger (truncate -s 1G) first", path);
		rc = -ENOMEDIUM;
		goto fail;
	}
	image->direct = direct_works(image);
	if (!image->direct)
		log_warn("%s: O_DIRECT is not possible, its data goes through the page cache",
			 path);
	return 0;

fail:
	image_close(image);
	return rc;
}

int image_lease(const struct image *image, const char *name, int *lease)
{
	char path[32];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image->fd);
	fd = open(path, (fcntl(image->fd, F_GETFL) & (O_ACCMODE | O_DIRECT)) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!image->read_only)
		rc = image_lock_lease(fd, name);
	if (rc)
		close(fd);
	else
		*lease = fd;
	return rc;
}

int image_claim(const char *path, bool read_only, char *why, size_t size)
{
	struct image image = {.fd = -1, .read_only = read_only};
	struct stat st;
	int rc = open_and_lock(&image, path, &st, why, size);

	if (rc)
		image_close(&image);
	return rc ? rc : image.fd;
}

int image_share(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY), rc;

	if (fd < 0)
		return -errno;
	rc = image_lock_share(fd, path);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

void image_close(struct image *image)
{
	if (image->fd < 0)
		return;
	/* The worker had the same open file; its io_uring lets go of it some time after its end. */
	(void)flock(image->fd, LOCK_UN);
	close(image->fd);
	image->fd = -1;
}
