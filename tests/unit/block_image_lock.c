/* Images on file systems that refuse locks, played by a filter of system calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/block/image.h"
#include "backend/block/image_lock.h"
#include "tests/unit/check.h"

static char path[64];
static int fd, log_fd;

static void set_up(void)
{
	scratch(path, sizeof(path), "image");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(!ftruncate(fd, 1 << 20));
	log_fd = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(dup2(log_fd, STDERR_FILENO), 0);
}

static void tear_down(void)
{
	close(fd);
	unlink(path);
}

/* From now on, and for this check's process alone; 0 lets them through. */
static void refuse(int whole, int byte)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	ck_assert_ptr_nonnull(filter);
	if (whole)
		ck_assert(!seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)whole),
					    SCMP_SYS(flock), 0));
	if (byte)
		ck_assert(!seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)byte), SCMP_SYS(fcntl),
					    1, SCMP_A1(SCMP_CMP_EQ, F_OFD_SETLK)));
	ck_assert(!seccomp_load(filter));
	seccomp_release(filter);
}

/* So many lines, the last of which has both words. */
static bool logged(unsigned lines, const char *one, const char *other)
{
	char text[4096];
	ssize_t length = pread(log_fd, text, sizeof(text) - 1, 0);
	unsigned found = 0;

	text[length < 0 ? 0 : length] = '\0';
	for (const char *end = text; (end = strchr(end, '\n')); end++)
		found++;
	return found == lines && (!lines || (strstr(text, one) && strstr(text, other)));
}

#define ALONE "nobody is kept from writing it too"
#define BELOW "images that lie on it are not noticed"

static const struct {
	const char *what;
	int whole, byte; /* the errors of flock(2) and of a lock of bytes */
	int rc;
	const char *warning; /* none: NULL */
} writers[] = {
	{"locks", 0, 0, 0, NULL},
	{"no flock", ENOLCK, 0, 0, NULL},
	{"no flock known", ENOSYS, 0, 0, NULL},
	{"no locks, as NFS without lockd says", ENOLCK, ENOLCK, 0, ALONE},
	{"no locks, as a FUSE says", ENOSYS, ENOSYS, 0, ALONE},
	{"no locks, as others say", EOPNOTSUPP, EOPNOTSUPP, 0, ALONE},
	{"no locks of bytes", 0, EOPNOTSUPP, 0, BELOW},
	{"no locks of an open file", 0, EINVAL, 0, BELOW},
	{"another has it", EAGAIN, 0, -EBUSY, NULL},
	{"another has its byte", 0, EACCES, -EBUSY, NULL},
	{"a server that fails", EIO, 0, -EIO, NULL},
	{"a server that fails later", 0, EIO, -EIO, NULL},
	{"a server that fails without flock", ENOLCK, EIO, -EIO, NULL},
	{"no right to lock", EPERM, 0, -EPERM, NULL},
};

START_TEST(writer)
{
	const char *what = writers[_i].what, *warning = writers[_i].warning;
	struct image image;
	char why[256] = "";

	refuse(writers[_i].whole, writers[_i].byte);
	ck_assert_msg(image_open(&image, path, false, why, sizeof(why)) == writers[_i].rc, "%s: %s",
		      what, why);
	ck_assert_msg((image.fd < 0) == (writers[_i].rc != 0), "%s", what);
	ck_assert_msg(!writers[_i].rc || strstr(why, path), "%s: %s", what, why);
	ck_assert_msg(!strstr(why, "in use") == (writers[_i].rc != -EBUSY), "%s: %s", what, why);
	if (writers[_i].rc && writers[_i].rc != -EBUSY)
		ck_assert_msg(strstr(why, strerror(-writers[_i].rc)), "%s: %s", what, why);
	/* O_DIRECT may have a line of its own, on a tmpfs. */
	ck_assert_msg(warning ? logged(1 + !image.direct, path, warning)
			      : logged(!writers[_i].rc && !image.direct, path, "O_DIRECT"),
		      "%s", what);
	if (warning)
		ck_assert(logged(1 + !image.direct, strerror(writers[_i].byte), "refuses locks"));
	image_close(&image);
}
END_TEST

/* Who only reads asks for no lock. */
START_TEST(reader)
{
	struct image image;
	char why[256];

	refuse(EIO, EIO);
	ck_assert_int_eq(image_open(&image, path, true, why, sizeof(why)), 0);
	image_close(&image);
}
END_TEST

static const struct {
	const char *what;
	int byte, lease, share;
	bool warns;
} bytes[] = {
	{"locks", 0, 0, 0, false},
	{"no locks", ENOLCK, 0, 0, true},
	{"locks that are not supported", EOPNOTSUPP, 0, 0, true},
	{"another has it", EAGAIN, -EAGAIN, -EBUSY, false},
	{"a server that fails", EIO, -EIO, -EIO, false},
};

START_TEST(worker)
{
	struct image image = {.fd = fd};
	int lease = -1;

	refuse(0, bytes[_i].byte);
	ck_assert_msg(image_lease(&image, path, &lease) == bytes[_i].lease, "%s", bytes[_i].what);
	ck_assert_msg((lease < 0) == (bytes[_i].lease != 0), "%s", bytes[_i].what);
	ck_assert_msg(logged(bytes[_i].warns, path, "its last writes are not waited for"), "%s",
		      bytes[_i].what);
}
END_TEST

START_TEST(below_another)
{
	int rc;

	refuse(0, bytes[_i].byte);
	rc = image_share(path);
	ck_assert_msg((rc < 0 ? rc : 0) == bytes[_i].share, "%s", bytes[_i].what);
	ck_assert_msg(logged(bytes[_i].warns, path, "writing what an image lies on"), "%s",
		      bytes[_i].what);
}
END_TEST

static const struct {
	const char *what;
	uint32_t type;
	bool has_flock;
} types[] = {
	{"ext4", EXT4_SUPER_MAGIC, true},
	{"xfs", XFS_SUPER_MAGIC, true},
	{"btrfs", BTRFS_SUPER_MAGIC, true},
	{"tmpfs", TMPFS_MAGIC, true},
	{"overlayfs", OVERLAYFS_SUPER_MAGIC, true},
	{"nfs", 0x6969, false},
	{"smb2", 0xfe534d42, false},
	{"cifs", 0xff534d42, false},
};

START_TEST(file_system)
{
	ck_assert_msg(image_lock_has_flock(types[_i].type) == types[_i].has_flock, "%s",
		      types[_i].what);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_image_lock");
	TCase *tc = tcase_create("block_image_lock");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, writer, 0, TABLE_SIZE(writers));
	tcase_add_test(tc, reader);
	tcase_add_loop_test(tc, worker, 0, TABLE_SIZE(bytes));
	tcase_add_loop_test(tc, below_another, 0, TABLE_SIZE(bytes));
	tcase_add_loop_test(tc, file_system, 0, TABLE_SIZE(types));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
