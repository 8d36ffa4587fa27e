/* The files that disks are opened from, and who may have them at the same time. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/block/image.h"
#include "tests/unit/check.h"

#define SIZE (1u << 20)

static char path[64];
static int fd;

static void set_up(void)
{
	scratch(path, sizeof(path), "image");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(!ftruncate(fd, SIZE));
}

static void tear_down(void)
{
	close(fd);
	unlink(path);
}

START_TEST(size)
{
	struct image image;
	char why[256];

	ck_assert(!ftruncate(fd, SIZE + 700));
	ck_assert_int_eq(image_open(&image, path, false, why, sizeof(why)), 0);
	ck_assert_uint_eq(image.size, SIZE + 512);
	ck_assert_uint_eq(image.physical_sector, 512);
	ck_assert_int_eq(fcntl(image.fd, F_GETFL) & O_NONBLOCK, 0);
	image_close(&image);
	image_close(&image);
	ck_assert(!ftruncate(fd, SIZE));
	ck_assert_int_eq(image_open(&image, path, true, why, sizeof(why)), 0);
	ck_assert_uint_eq(image.size, SIZE);
	ck_assert_uint_eq(image.physical_sector, 4096);
	ck_assert_int_eq(fcntl(image.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	ck_assert(!image.can_discard);
	image_close(&image);
}
END_TEST

START_TEST(locked)
{
	struct image first, second, reader;
	char why[256];

	ck_assert_int_eq(image_open(&first, path, false, why, sizeof(why)), 0);
	ck_assert_int_eq(image_open(&second, path, false, why, sizeof(why)), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_int_eq(image_open(&reader, path, true, why, sizeof(why)), 0);
	image_close(&reader);
	image_close(&first);
	ck_assert_int_eq(image_open(&second, path, false, why, sizeof(why)), 0);
	image_close(&second);
}
END_TEST

static const struct {
	const char *path;
	int rc;
} images[] = {
	{"/nonexistent/image", -ENOENT},
	{"/tmp", -EISDIR},
	{"/dev/null", -EINVAL},
	{"null:0", -EINVAL},
	{"null:511", -EINVAL},
	{"null:x", -EINVAL},
	{"null:1048576", 0},
};

START_TEST(refused)
{
	struct image image;
	char why[256] = "";

	ck_assert_msg(image_open(&image, images[_i].path, false, why, sizeof(why)) == images[_i].rc,
		      "%s: %s", images[_i].path, why);
	ck_assert_int_eq(image.fd, -1);
	ck_assert_int_eq(!images[_i].rc, !*why);
	ck_assert_uint_eq(image.size, images[_i].rc ? 0 : 1048576);
}
END_TEST

START_TEST(empty)
{
	struct image image;
	char why[256];

	ck_assert(!ftruncate(fd, 511));
	ck_assert_int_eq(image_open(&image, path, false, why, sizeof(why)), -ENOMEDIUM);
}
END_TEST

/* Any number of images may lie on a file, as long as nobody writes it. */
START_TEST(shared)
{
	int one = image_share(path), two = image_share(path);
	struct image writer;
	char why[256];

	ck_assert_int_ge(one, 0);
	ck_assert_int_ge(two, 0);
	close(one);
	ck_assert_int_eq(image_open(&writer, path, false, why, sizeof(why)), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why, "is the backing file of an image in use"));
	ck_assert_int_eq(image_claim(path, false, why, sizeof(why)), -EBUSY);
	close(two);
	ck_assert_int_eq(image_open(&writer, path, false, why, sizeof(why)), 0);
	ck_assert_int_eq(image_share(path), -EBUSY);
	image_close(&writer);
	one = image_share(path);
	ck_assert_int_ge(one, 0);
	close(one);
}
END_TEST

/* QEMU's lock of who writes; the other bytes are about other things. */
START_TEST(written_by_qemu)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
	int share;

	ck_assert(!fcntl(fd, F_OFD_SETLK, &lock));
	share = image_share(path);
	ck_assert_int_ge(share, 0);
	close(share);
	lock.l_start = 101;
	ck_assert(!fcntl(fd, F_OFD_SETLK, &lock));
	ck_assert_int_eq(image_share(path), -EBUSY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_image");
	TCase *tc = tcase_create("block_image");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, size);
	tcase_add_test(tc, locked);
	tcase_add_loop_test(tc, refused, 0, TABLE_SIZE(images));
	tcase_add_test(tc, empty);
	tcase_add_test(tc, shared);
	tcase_add_test(tc, written_by_qemu);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
