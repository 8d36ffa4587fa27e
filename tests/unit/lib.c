/* What lib/ promises: numbers, log limits, messages with descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fdpass.h"
#include "lib/histogram.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/rundir.h"
#include "tests/unit/check.h"

static const struct {
	const char *text;
	uint64_t max;
	int rc;
	uint64_t value;
} numbers[] = {
	{"0", 10, 0, 0},
	{"10", 10, 0, 10},
	{"11", 10, -ERANGE, 0},
	{"0x1F", 255, 0, 31},
	{"0x", 255, -EINVAL, 0},
	{"", 255, -EINVAL, 0},
	{"-1", UINT64_MAX, -EINVAL, 0},
	{"+1", UINT64_MAX, -EINVAL, 0},
	{" 1", UINT64_MAX, -EINVAL, 0},
	{"1 ", UINT64_MAX, -EINVAL, 0},
	{"1a", UINT64_MAX, -EINVAL, 0},
	{"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX, -ERANGE, 0},
	{"99999999999999999999999999999999", UINT64_MAX, -ERANGE, 0},
};

START_TEST(number)
{
	uint64_t value = 77;

	ck_assert_msg(number_parse(numbers[_i].text, numbers[_i].max, &value) == numbers[_i].rc,
		      "\"%s\"", numbers[_i].text);
	ck_assert_uint_eq(value, numbers[_i].rc ? 77 : numbers[_i].value);
}
END_TEST

static const struct {
	const char *text;
	uint64_t max;
	int rc;
	uint64_t value;
} byte_sizes[] = {
	{"0", 10, 0, 0},
	{"1k", 1024, 0, 1024},
	{"1K", 1023, -ERANGE, 0},
	{"3M", UINT64_MAX, 0, 3145728},
	{"2g", UINT64_MAX, 0, 2147483648},
	{"1T", UINT64_MAX, 0, 1099511627776},
	{"16777216T", UINT64_MAX, -ERANGE, 0},
	{"16777215T", UINT64_MAX, 0, 16777215ull << 40},
	{"K", UINT64_MAX, -EINVAL, 0},
	{"", UINT64_MAX, -EINVAL, 0},
	{"1KB", UINT64_MAX, -EINVAL, 0},
	{"1P", UINT64_MAX, -EINVAL, 0},
	{"-1K", UINT64_MAX, -EINVAL, 0},
	{"00000000000000000000000001", UINT64_MAX, -EINVAL, 0},
};

START_TEST(number_of_size)
{
	uint64_t value = 77;

	ck_assert_msg(number_parse_size(byte_sizes[_i].text, byte_sizes[_i].max, &value) ==
			      byte_sizes[_i].rc,
		      "\"%s\"", byte_sizes[_i].text);
	ck_assert_uint_eq(value, byte_sizes[_i].rc ? 77 : byte_sizes[_i].value);
}
END_TEST

/* Every value falls between its bucket's floor and the next one's, within an eighth. */
START_TEST(histogram_buckets)
{
	for (uint64_t value = 0; value < 1ull << 40; value += 1 + value / 61) {
		unsigned bucket = histogram_bucket(value);

		ck_assert_uint_lt(bucket, HISTOGRAM_BUCKETS - 1);
		ck_assert_uint_le(histogram_floor(bucket), value);
		ck_assert_uint_gt(histogram_floor(bucket + 1), value);
		ck_assert_uint_le(histogram_floor(bucket + 1) - histogram_floor(bucket),
				  value / 4 + 1);
	}
	ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
	for (unsigned n = 0; n < HISTOGRAM_BUCKETS; n++)
		ck_assert_uint_eq(histogram_bucket(histogram_floor(n)), n);
}
END_TEST

START_TEST(histogram_quantiles)
{
	struct histogram histogram = {0}, copy, both = {0};

	ck_assert_uint_eq(histogram_quantile(&histogram, 500), 0);
	for (uint64_t value = 1; value <= 1000; value++)
		histogram_add(&histogram, value * 1000);
	histogram_copy(&copy, &histogram);
	ck_assert_uint_eq(histogram_total(&copy), 1000);
	ck_assert_uint_eq(copy.sum, 500500000);
	ck_assert_uint_ge(histogram_quantile(&copy, 500), 437500);
	ck_assert_uint_le(histogram_quantile(&copy, 500), 562500);
	ck_assert_uint_ge(histogram_quantile(&copy, 990), 866250);
	ck_assert_uint_le(histogram_quantile(&copy, 1000), 1125000);
	ck_assert_uint_le(histogram_quantile(&copy, 0), 1125);
	histogram_merge(&both, &copy);
	histogram_merge(&both, &copy);
	ck_assert_uint_eq(histogram_total(&both), 2000);
	ck_assert_uint_eq(histogram_quantile(&both, 500), histogram_quantile(&copy, 500));
}
END_TEST

START_TEST(log_limited)
{
	struct log_limit limit = {0};
	int allowed = 0;

	for (int i = 0; i < 100; i++)
		allowed += log_allowed(&limit, 5000);
	ck_assert_int_eq(allowed, 10);
	ck_assert(!log_allowed(&limit, 5999));
	ck_assert(log_allowed(&limit, 6000));
	ck_assert(!log_allowed(&limit, 6000));
}
END_TEST

START_TEST(descriptors_travel)
{
	int pair[2], got[FDPASS_MAX], sent = open("/dev/null", O_RDONLY);
	char message[8] = "abcdefg", answer[8];
	size_t count;

	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	ck_assert_int_eq(fdpass_send(pair[0], message, sizeof(message), &sent, 1), 0);
	ck_assert_int_eq(fdpass_receive(pair[1], answer, sizeof(answer), got, &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(answer, message);
	ck_assert_int_ne(fcntl(got[0], F_GETFD) & FD_CLOEXEC, 0);

	ck_assert_int_eq(fdpass_send(pair[0], message, 3, &sent, 1), 0);
	ck_assert_int_eq(fdpass_receive(pair[1], answer, sizeof(answer), got, &count), -EPROTO);
	ck_assert_uint_eq(count, 0);

	close(pair[0]);
	ck_assert_int_eq(fdpass_receive(pair[1], answer, sizeof(answer), got, &count), -EPIPE);
	ck_assert_int_eq(fdpass_send(pair[1], message, sizeof(message), NULL, 0), -EPIPE);
	ck_assert_int_eq(fdpass_send(pair[1], message, 8, &sent, FDPASS_MAX + 1), -EINVAL);
}
END_TEST

START_TEST(run_directory)
{
	char path[80], top[64];

	scratch(top, sizeof(top), "lib");
	ck_assert_ptr_nonnull(mkdtemp(top));
	setenv("XSPLIT_RUNDIR", top, 1);
	ck_assert_int_eq(rundir_make("a/b"), 0);
	ck_assert_int_eq(rundir_make("a/b"), 0);
	ck_assert_int_eq(rundir_path(path, sizeof(path), "a/%s", "b"), 0);
	ck_assert_int_eq(access(path, W_OK), 0);
	ck_assert_int_eq(rundir_path(path, 8, "a"), -ENAMETOOLONG);
}
END_TEST

START_TEST(run_directory_held)
{
	char top[64];
	pid_t child, holder = 0;
	int status, pair[2];

	scratch(top, sizeof(top), "lib");
	ck_assert_ptr_nonnull(mkdtemp(top));
	setenv("XSPLIT_RUNDIR", top, 1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	child = fork();
	if (!child) {
		close(pair[0]);
		_exit(rundir_hold("lock", &holder) || write(pair[1], "", 1) != 1 ||
		      read(pair[1], top, 1) != 0);
	}
	close(pair[1]);
	ck_assert_int_eq(read(pair[0], &status, 1), 1);
	ck_assert_int_eq(rundir_hold("lock", &holder), -EBUSY);
	ck_assert_int_eq(holder, child);
	close(pair[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	ck_assert_int_eq(rundir_hold("lock", &holder), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lib");
	TCase *tc = tcase_create("lib");

	tcase_add_loop_test(tc, number, 0, TABLE_SIZE(numbers));
	tcase_add_loop_test(tc, number_of_size, 0, TABLE_SIZE(byte_sizes));
	tcase_add_test(tc, histogram_buckets);
	tcase_add_test(tc, histogram_quantiles);
	tcase_add_test(tc, log_limited);
	tcase_add_test(tc, descriptors_travel);
	tcase_add_test(tc, run_directory);
	tcase_add_test(tc, run_directory_held);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
