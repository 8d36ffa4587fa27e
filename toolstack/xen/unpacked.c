#include "toolstack/xen/unpacked.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Copies that stay; the least used go. */
#define COPIES_MAX 4

/* A kernel younger than this is not kept. */
#define SECONDS_OLD 60

static const char *directory(void)
{
	const char *dir = getenv("XSPLIT_CACHEDIR");

	return dir && *dir ? dir : "/var/cache/xsplit";
}

/*
 * Return: false when it is no file, or one of this very minute: a bootloader's, which is another
 * the next time, or one that may change once more within the clock's resolution.
 */
static bool name_make(char *name, size_t size, const char *kernel)
{
	struct stat st;

	if (stat(kernel, &st) || !S_ISREG(st.st_mode) ||
	    st.st_ctim.tv_sec + SECONDS_OLD > time(NULL))
		return false;
	snprintf(name, size, "%llx-%llx-%llx-%llx.%09ld-%llx.%09ld", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
		 (unsigned long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		 (unsigned long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	return true;
}

/* Nobody else may have put something there. */
static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static bool directory_path(char *path, size_t size)
{
	return snprintf(path, size, "%s/kernels", directory()) < (int)size;
}

static bool directory_is_ours(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode) && is_ours(&st);
}

void unpacked_find(struct unpacked *unpacked, const char *kernel)
{
	struct stat st;
	size_t length;

	*unpacked = (struct unpacked){0};
	if (!name_make(unpacked->name, sizeof(unpacked->name), kernel) ||
	    !directory_path(unpacked->path, sizeof(unpacked->path)))
		goto none;
	unpacked->there = directory_is_ours(unpacked->path);
	length = strlen(unpacked->path);
	if (snprintf(unpacked->path + length, sizeof(unpacked->path) - length, "/%s",
		     unpacked->name) >= (int)(sizeof(unpacked->path) - length))
		goto none;
	unpacked->there = unpacked->there && !lstat(unpacked->path, &st) && S_ISREG(st.st_mode) &&
			  is_ours(&st) && !utimensat(AT_FDCWD, unpacked->path, NULL, 0);
	return;
none:
	unpacked->there = false;
	unpacked->path[0] = '\0';
}

static bool file_write(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data = (const char *)data + n;
		size -= (size_t)n;
	}
	return true;
}

struct copy {
	char name[NAME_MAX + 1];
	struct timespec used;
};

static int later(const void *a, const void *b)
{
	const struct copy *one = a, *two = b;

	if (one->used.tv_sec != two->used.tv_sec)
		return one->used.tv_sec < two->used.tv_sec ? 1 : -1;
	return (one->used.tv_nsec < two->used.tv_nsec) - (one->used.tv_nsec > two->used.tv_nsec);
}

/* Keep the ones used last; what a dead process left half written goes with the others. */
static void copies_trim(int dir)
{
	DIR *list = fdopendir(dup(dir));
	struct copy copy[COPIES_MAX * 4] = {0};
	const struct dirent *entry;
	size_t count = 0;
	struct stat st;

	while (list && count < sizeof(copy) / sizeof(copy[0]) && (entry = readdir(list))) {
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		snprintf(copy[count].name, sizeof(copy[count].name), "%s", entry->d_name);
		copy[count++].used = st.st_mtim;
	}
	if (list)
		closedir(list);
	qsort(copy, count, sizeof(copy[0]), later);
	for (size_t i = COPIES_MAX; i < count; i++)
		unlinkat(dir, copy[i].name, 0);
}

void unpacked_keep(const struct unpacked *unpacked, const char *kernel,
		   const struct xc_dom_image *dom)
{
	char now[sizeof(unpacked->name)], fresh[64], path[PATH_MAX];
	int dir = -1, fd = -1;

	if (unpacked->there || !unpacked->path[0] || dom->kernel_blob == unpacked->packed)
		return;
	if (!name_make(now, sizeof(now), kernel) || strcmp(now, unpacked->name) != 0)
		return;
	if (!directory_path(path, sizeof(path)))
		return;
	mkdir(directory(), 0755);
	mkdir(path, 0700);
	if (directory_is_ours(path))
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	snprintf(fresh, sizeof(fresh), "new-%d", (int)getpid());
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out;
	if (!file_write(fd, dom->kernel_blob, dom->kernel_size) ||
	    renameat(dir, fresh, dir, unpacked->name))
		unlinkat(dir, fresh, 0);
	close(fd);
	copies_trim(dir);
out:
	close(dir);
}
