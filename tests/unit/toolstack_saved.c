/* The form of a saved domain: what is written is read, what is wrong is refused. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "toolstack/domain/saved.h"
#include "toolstack/io.h"

#define CONFIG "name=\"g\"\n"

/* Where things are in what saved_head_write() writes with CONFIG. */
#define AT_ORDER  32
#define AT_FLAGS  36
#define AT_LENGTH 44
#define AT_CONFIG 48
#define AT_STREAM (52 + (long)sizeof(CONFIG) - 1)

static int file_make(void)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int head_make(void)
{
	int fd = file_make();

	ck_assert_int_eq(saved_head_write(fd, CONFIG), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

START_TEST(head)
{
	struct fault fault = {0};
	char *config = NULL;
	int fd = head_make();

	ck_assert_msg(!saved_head_read(fd, "f", &config, &fault), "%s", fault.text);
	ck_assert_str_eq(config, CONFIG);
	/* libxc's stream comes next, and nothing was read of it. */
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), lseek(fd, 0, SEEK_END));
	free(config);
	close(fd);
}
END_TEST

static const struct {
	const char *what;
	long at;
	uint32_t value; /* written there */
	const char *words;
} broken[] = {
	{"the magic", 0, 0, "f is no saved domain; give a file that xsplit save wrote"},
	{"the end of the magic", 28, 0, "f is no saved domain; give a file that xsplit save wrote"},
	{"byte order", AT_ORDER, 0x04030201, "f was saved on a machine of another byte order"},
	{"xl's JSON", AT_FLAGS, 3,
	 "f was saved by xl, with its config as JSON; xl restore takes it"},
	{"an unknown feature", AT_FLAGS, 6, "f has features that this version does not know"},
	{"an old stream", AT_FLAGS, 0, "f has features that this version does not know"},
	{"no config", AT_LENGTH, 3, "f has no config in it"},
	{"a config of 4 GiB", AT_LENGTH, UINT32_MAX, "f has no config in it"},
	{"a config beyond its place", AT_CONFIG, 1000, "f: its config is longer than its place"},
	{"the stream's name", AT_STREAM, 0, "f: its stream is not libxl's of version 2"},
	{"the stream's version", AT_STREAM + 8, 2, "f: its stream is not libxl's of version 2"},
	{"another first record", AT_STREAM + 16, 3, "f: its stream is not libxl's of version 2"},
	{"a length of libxc's", AT_STREAM + 20, 8, "f: its stream is not libxl's of version 2"},
};

START_TEST(broken_head)
{
	struct fault fault = {0};
	char *config = NULL;
	int fd = head_make();

	ck_assert_int_eq(pwrite(fd, &broken[_i].value, 4, broken[_i].at), 4);
	ck_assert_msg(saved_head_read(fd, "f", &config, &fault) == -EINVAL, "%s", broken[_i].what);
	ck_assert_str_eq(fault.text, broken[_i].words);
	ck_assert_ptr_null(config);
	close(fd);
}
END_TEST

START_TEST(cut_head)
{
	struct fault fault = {0};
	char *config = NULL;
	int fd = head_make();
	long size = lseek(fd, 0, SEEK_END);

	for (long cut = 0; cut < size; cut++) {
		ck_assert_int_eq(ftruncate(fd, cut), 0);
		ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
		ck_assert_msg(saved_head_read(fd, "f", &config, &fault) == -EINVAL, "%ld", cut);
		ck_assert_str_eq(fault.text, "f: ends too early; it was not saved to its end");
		ck_assert_ptr_null(config);
		close(fd);
		fd = head_make();
	}
	close(fd);
}
END_TEST

static const size_t states[] = {0, 1, 7, 8, 9, 100000};

START_TEST(tail)
{
	uint8_t state[100000], back[100000];
	struct fault fault = {0};
	int from = file_make(), fd = file_make(), to = -1;
	size_t size = states[_i];
	struct stat stat;

	memset(state, 0x5a, sizeof(state));
	ck_assert_int_eq(io_write(from, state, size), 0);
	ck_assert_int_eq(lseek(from, 0, SEEK_SET), 0);
	ck_assert_int_eq(saved_tail_write(fd, from, size), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR) % 8, 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_msg(!saved_tail_read(fd, "f", &to, &fault), "%s", fault.text);
	ck_assert_int_eq(fstat(to, &stat), 0);
	ck_assert_int_eq(stat.st_size, (long)size);
	ck_assert_int_eq(io_read(to, back, size), 0);
	ck_assert(!memcmp(state, back, size));
	close(from);
	close(fd);
	close(to);
}
END_TEST

START_TEST(tail_without_model)
{
	struct fault fault = {0};
	int fd = file_make(), to = 0;

	ck_assert_int_eq(saved_tail_write(fd, -1, 0), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(saved_tail_read(fd, "f", &to, &fault), 0);
	ck_assert_int_eq(to, -1);
	close(fd);
}
END_TEST

static const struct {
	const char *what;
	uint32_t words[8];
	size_t count;
	const char *message;
} tails[] = {
	{"nothing", {0}, 0, "f: ends too early; it was not saved to its end"},
	{"half a header", {0}, 1, "f: ends too early; it was not saved to its end"},
	{"no end", {2, 8, 2, 0}, 4, "f: ends too early; it was not saved to its end"},
	{"an unknown record", {9, 0}, 2, "f: a record of type 9 behind the memory is wrong"},
	{"a second memory", {1, 0}, 2, "f: a record of type 1 behind the memory is wrong"},
	{"a state without header",
	 {3, 7, 0, 0},
	 4,
	 "f: a record of type 3 behind the memory is wrong"},
	{"a state of 4 GiB",
	 {3, UINT32_MAX, 2, 0},
	 4,
	 "f: a record of type 3 behind the memory is wrong"},
	{"another emulator's",
	 {3, 8, 1, 0, 0, 0},
	 6,
	 "f: a record of type 3 behind the memory is wrong"},
	{"two states",
	 {3, 8, 2, 0, 3, 8, 2, 0},
	 8,
	 "f: a record of type 3 behind the memory is wrong"},
	{"a state that is not there",
	 {3, 100, 2, 0},
	 4,
	 "f: ends too early; it was not saved to its end"},
};

START_TEST(broken_tail)
{
	struct fault fault = {0};
	int fd = file_make(), to = 0;

	ck_assert_int_eq(io_write(fd, tails[_i].words, tails[_i].count * 4), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_msg(saved_tail_read(fd, "f", &to, &fault) == -EINVAL, "%s", tails[_i].what);
	ck_assert_msg(!strcmp(fault.text, tails[_i].message), "%s: %s", tails[_i].what, fault.text);
	ck_assert_int_eq(to, -1);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_saved");
	TCase *tc = tcase_create("saved");

	tcase_add_test(tc, head);
	tcase_add_loop_test(tc, broken_head, 0, TABLE_SIZE(broken));
	tcase_add_test(tc, cut_head);
	tcase_add_loop_test(tc, tail, 0, TABLE_SIZE(states));
	tcase_add_test(tc, tail_without_model);
	tcase_add_loop_test(tc, broken_tail, 0, TABLE_SIZE(tails));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
