/* The files and locks that tell who still has a device: of its worker, and of its image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/block/image.h"
#include "backend/xenbus/journal.h"
#include "tests/unit/check.h"

static char dir[64];
static struct journal journal;

static void set_up(void)
{
	scratch(dir, sizeof(dir), "journal");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	setenv("XSPLIT_RUNDIR", dir, 1);
	journal_init(&journal, "vbd", 5, 51712);
}

static void tear_down(void)
{
	journal_close(&journal);
}

START_TEST(lives_until_it_is_removed)
{
	char byte;

	ck_assert_int_eq(journal_find(&journal), -ENOENT);
	ck_assert_int_eq(journal_create(&journal, 5000), 0);
	ck_assert_int_eq(journal_size(&journal), 5000);
	ck_assert_int_eq(journal_read(&journal, 4999, &byte, 1), 0);
	ck_assert_int_eq(byte, 0);
	ck_assert_int_eq(journal_read(&journal, 5000, &byte, 1), -EIO);
	journal_close(&journal);
	ck_assert_int_eq(journal_find(&journal), 0);
	journal_remove(&journal);
	ck_assert_int_eq(journal_find(&journal), -ENOENT);
}
END_TEST

START_TEST(made_anew_over_an_old_one)
{
	char byte = 1;

	ck_assert_int_eq(journal_create(&journal, 10), 0);
	ck_assert_int_eq(pwrite(journal.fd, &byte, 1, 0), 1);
	journal_close(&journal);
	ck_assert_int_eq(journal_create(&journal, 10), 0);
	ck_assert_int_eq(journal_read(&journal, 0, &byte, 1), 0);
	ck_assert_int_eq(byte, 0);
}
END_TEST

/* The supervisor is gone, the worker, which has a copy of its descriptor, is not. */
START_TEST(locked_while_a_worker_has_it)
{
	pid_t worker;
	int status;

	ck_assert_int_eq(journal_create(&journal, 10), 0);
	worker = fork();
	if (!worker) {
		pause();
		_exit(0);
	}
	journal_close(&journal);
	ck_assert_int_eq(journal_find(&journal), 0);
	ck_assert_int_eq(journal_lock(&journal), -EAGAIN);
	kill(worker, SIGKILL);
	waitpid(worker, &status, 0);
	ck_assert_int_eq(journal_lock(&journal), 0);
	ck_assert_int_eq(journal_lock(&journal), 0);
}
END_TEST

static bool only_vif(void *arg, const char *class, uint16_t domid, uint32_t devid)
{
	ck_assert_uint_eq(domid, 5);
	ck_assert_uint_eq(devid, 51712);
	++*(int *)arg;
	return !strcmp(class, "vif");
}

START_TEST(sweeps_those_of_devices_that_are_gone)
{
	struct journal vif;
	int asked = 0;

	journal_sweep(only_vif, &asked); /* no folder yet */
	journal_init(&vif, "vif", 5, 51712);
	ck_assert_int_eq(journal_create(&journal, 10), 0);
	ck_assert_int_eq(journal_create(&vif, 10), 0);
	journal_close(&journal);
	journal_close(&vif);
	journal_sweep(only_vif, &asked);
	ck_assert_int_eq(asked, 2);
	ck_assert_int_eq(journal_find(&journal), -ENOENT);
	ck_assert_int_eq(journal_find(&vif), 0);
	journal_close(&vif);
}
END_TEST

/* Row 0: a writable image. Row 1: a read-only one, whose old reads harm nobody. */
START_TEST(one_lease_at_a_time)
{
	struct image image;
	char path[80], why[200];
	int first, second, under_way;

	snprintf(path, sizeof(path), "%s/image", dir);
	first = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(ftruncate(first, 1 << 20), 0);
	close(first);
	ck_assert_int_eq(image_open(&image, path, _i, why, sizeof(why)), 0);
	ck_assert_int_eq(image_lease(&image, path, &first), 0);
	/* What is under way in the kernel has its description open as a duplicate has. */
	under_way = dup(first);
	close(first);
	ck_assert_int_eq(image_lease(&image, path, &second), _i ? 0 : -EAGAIN);
	close(under_way);
	if (!_i)
		ck_assert_int_eq(image_lease(&image, path, &second), 0);
	ck_assert_int_eq(fcntl(second, F_GETFL) & O_ACCMODE, _i ? O_RDONLY : O_RDWR);
	close(second);
	image_close(&image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backend_journal");
	TCase *tc = tcase_create("backend_journal");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, lives_until_it_is_removed);
	tcase_add_test(tc, made_anew_over_an_old_one);
	tcase_add_test(tc, locked_while_a_worker_has_it);
	tcase_add_test(tc, sweeps_those_of_devices_that_are_gone);
	tcase_add_loop_test(tc, one_lease_at_a_time, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
