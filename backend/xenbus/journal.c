#include "backend/xenbus/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/number.h"
#include "lib/rundir.h"

#define FOLDER "inflight"

void journal_init(struct journal *journal, const char *class, uint16_t domid, uint32_t devid)
{
	journal->fd = -1;
	if (rundir_path(journal->path, sizeof(journal->path), FOLDER "/%s-%u-%" PRIu32, class,
			domid, devid))
		journal->path[0] = '\0';
}

int journal_create(struct journal *journal, size_t size)
{
	int rc = rundir_make(FOLDER);

	journal_remove(journal);
	if (rc)
		return rc;
	unlink(journal->path); /* of a device that was removed while nobody served it */
	journal->fd = open(journal->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0)
		return -errno;
	/* Room now, or a worker would die of it later (SIGBUS). */
	rc = -posix_fallocate(journal->fd, 0, (off_t)size);
	if (!rc)
		rc = journal_lock(journal);
	if (rc)
		journal_remove(journal);
	return rc;
}

int journal_find(struct journal *journal)
{
	journal->fd = open(journal->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return journal->fd < 0 ? -errno : 0;
}

int journal_lock(struct journal *journal)
{
	return flock(journal->fd, LOCK_EX | LOCK_NB) ? -EAGAIN : 0;
}

off_t journal_size(const struct journal *journal)
{
	struct stat st;

	return fstat(journal->fd, &st) ? 0 : st.st_size;
}

int journal_read(const struct journal *journal, off_t offset, void *buffer, size_t size)
{
	return pread(journal->fd, buffer, size, offset) == (ssize_t)size ? 0 : -EIO;
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

void journal_remove(struct journal *journal)
{
	if (journal->fd < 0)
		return;
	if (unlink(journal->path) && errno != ENOENT)
		log_warn("%s cannot be removed: %s", journal->path, strerror(errno));
	journal_close(journal);
}

/* CLASS-DOMID-DEVID */
static bool name_parse(char *name, uint16_t *domid, uint32_t *devid)
{
	char *number = strrchr(name, '-');

	if (!number || number_parse_u32(number + 1, devid))
		return false;
	*number = '\0';
	number = strrchr(name, '-');
	if (!number || number_parse_u16(number + 1, domid))
		return false;
	*number = '\0';
	return true;
}

void journal_sweep(bool (*keep)(void *arg, const char *class, uint16_t domid, uint32_t devid),
		   void *arg)
{
	char path[PATH_MAX];
	DIR *folder;

	if (rundir_path(path, sizeof(path), FOLDER))
		return;
	folder = opendir(path);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		char name[sizeof(entry->d_name)];
		uint16_t domid;
		uint32_t devid;

		memcpy(name, entry->d_name, sizeof(name));
		if (name_parse(name, &domid, &devid) && !keep(arg, name, domid, devid))
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
}
