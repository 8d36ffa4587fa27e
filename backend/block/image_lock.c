#include "backend/block/image_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>

#include "lib/log.h"

/* No image reaches this far. */
#define LEASE_BYTE ((off_t)1 << 62)
#define SHARE_BYTE (LEASE_BYTE + 1)

/* QEMU's file-posix locks this byte for reading while it writes the image. */
#define QEMU_WRITES_BYTE 101

int image_lock_verdict(int error)
{
	switch (error) {
	case EAGAIN:
	case EACCES: /* fcntl(2) may call it so */
		return -EBUSY;
	case ENOLCK: /* NFS without lockd */
	case EOPNOTSUPP:
	case ENOSYS:
	case EINVAL: /* what we ask for is valid elsewhere */
		return -ENOLCK;
	default:
		return -error;
	}
}

bool image_lock_has_flock(uint32_t type)
{
	return type != NFS_SUPER_MAGIC && type != SMB2_SUPER_MAGIC && type != CIFS_SUPER_MAGIC;
}

static int byte_lock(int fd, off_t byte, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) ? image_lock_verdict(errno) : 0;
}

/* Does somebody hold a lock on @byte that keeps us from writing it? Its type, or F_UNLCK. */
static short byte_locked(int fd, off_t byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return fcntl(fd, F_OFD_GETLK, &lock) ? F_UNLCK : lock.l_type;
}

/* Of a block device open(2)'s O_EXCL is as good. Return: 0, -ENOLCK: not to be had, or the failure.
 */
static int whole_lock(int fd, const struct stat *st)
{
	struct statfs fs;

	if (!S_ISREG(st->st_mode))
		return 0;
	if (!fstatfs(fd, &fs) && !image_lock_has_flock((uint32_t)fs.f_type))
		return -ENOLCK;
	return flock(fd, LOCK_EX | LOCK_NB) ? image_lock_verdict(errno) : 0;
}

/* After byte_lock, whose errno is the cause. */
static int go_on(const char *path, const char *unseen)
{
	log_warn("%s: its file system refuses locks (%s): %s", path, strerror(errno), unseen);
	return 0;
}

int image_lock_write(int fd, const struct stat *st, const char *path)
{
	int whole = whole_lock(fd, st), rc;

	if (whole && whole != -ENOLCK)
		return whole;
	rc = byte_lock(fd, SHARE_BYTE, F_WRLCK);
	if (rc == -EBUSY && byte_locked(fd, SHARE_BYTE) == F_RDLCK)
		return -EMLINK;
	if (rc == -ENOLCK)
		return go_on(path,
			     whole ? "nobody is kept from writing it too; see that nobody does"
				   : "images that lie on it are not noticed; see that none does");
	return rc;
}

void image_lock_why(int rc, const char *path, char *why, size_t size)
{
	if (rc == -EMLINK)
		snprintf(why, size,
			 "%s is the backing file of an image in use; detach that first, or attach "
			 "this one read-only",
			 path);
	else if (rc == -EBUSY)
		snprintf(
			why, size,
			"%s is in use and writable elsewhere; detach it there or attach it read-only",
			path);
	else
		snprintf(why, size,
			 "%s cannot be locked: %s; mend its file system or attach it read-only",
			 path, strerror(-rc));
}

int image_lock_lease(int fd, const char *path)
{
	int rc = byte_lock(fd, LEASE_BYTE, F_WRLCK);

	if (rc == -ENOLCK)
		return go_on(path, "should a worker die, its last writes are not waited for");
	return rc == -EBUSY ? -EAGAIN : rc;
}

int image_lock_share(int fd, const char *path)
{
	int rc = byte_lock(fd, SHARE_BYTE, F_RDLCK);

	if (rc == -ENOLCK)
		return go_on(path, "nobody is kept from writing what an image lies on; see that "
				   "nobody does");
	return !rc && byte_locked(fd, QEMU_WRITES_BYTE) != F_UNLCK ? -EBUSY : rc;
}
