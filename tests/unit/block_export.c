/* What an NBD server may say about its export, and what it must not. */
#include <errno.h>
#include <string.h>

#include "backend/block/export.h"
#include "tests/unit/check.h"

#define MIB (1u << 20)

static const struct {
	const char *what;
	uint64_t size;
	uint32_t min, max;
	bool export_ro, disk_ro;
	int rc;
	const char *words;
} rows[] = {
	{"nothing said", MIB, 1, 0, false, false, 0, ""},
	{"one sector", 512, 1, 0, false, false, 0, ""},
	{"an odd tail", MIB + 1, 1, 0, false, false, 0, ""},
	{"the largest", INT64_MAX, 1, 0, false, false, 0, ""},
	{"sectors of 64 KiB", MIB, 65536, UINT32_MAX, false, false, 0, ""},
	{"one page a request", MIB, 512, 4096, false, false, 0, ""},
	{"one block a request", MIB, 65536, 65536, false, false, 0, ""},
	{"read-only, as the disk", MIB, 1, 0, true, true, 0, ""},
	{"writable, unlike the disk", MIB, 1, 0, false, true, 0, ""},

	{"empty", 0, 1, 0, false, false, -ENOMEDIUM, "empty (0 bytes); make it larger"},
	{"less than a sector", 511, 1, 0, false, false, -ENOMEDIUM, "empty (511 bytes)"},
	{"beyond an off_t", 1ull << 63, 1, 0, false, false, -EPROTO, "9223372036854775808 bytes"},
	{"minus one", UINT64_MAX, 1, 0, false, false, -EPROTO, "no disk can have"},
	{"not its own blocks", MIB + 512, 4096, 0, false, false, -EPROTO,
	 "1049088 bytes does not consist of blocks of 4096"},
	{"less than its own block", 512, 4096, 0, false, false, -EPROTO, "does not consist"},
	{"blocks of nothing", MIB, 0, 0, false, false, -EPROTO, "blocks are of 0 bytes"},
	{"blocks of 3", MIB, 3, 0, false, false, -EPROTO, "3 bytes, which is no power of two"},
	{"blocks of 4097", MIB, 4097, 0, false, false, -EPROTO, "no power of two"},
	{"blocks of 128 KiB", MIB, 131072, 0, false, false, -EOPNOTSUPP,
	 "131072 bytes are too large; have it served with 65536 or less"},
	{"blocks of 2 GiB", MIB, 1u << 31, 0, false, false, -EOPNOTSUPP, "too large"},
	{"requests of a byte", MIB, 1, 1, false, false, -EOPNOTSUPP,
	 "1 bytes at most; have it served with 4096 or more"},
	{"requests less than a page", MIB, 1, 4095, false, false, -EOPNOTSUPP,
	 "4095 bytes at most"},
	{"requests less than a block", MIB, 65536, 65535, false, false, -EOPNOTSUPP,
	 "have it served with 65536 or more"},
	{"read-only, unlike the disk", MIB, 1, 0, true, false, -EROFS, "access=ro"},
};

START_TEST(what_it_says)
{
	const struct export_info info = {.size = rows[_i].size,
					 .block_min = rows[_i].min,
					 .block_max = rows[_i].max,
					 .read_only = rows[_i].export_ro};
	char why[200] = "";
	int rc = export_check(&info, rows[_i].disk_ro, why, sizeof(why));

	ck_assert_msg(rc == rows[_i].rc, "%s: %d", rows[_i].what, rc);
	ck_assert_msg(strstr(why, rows[_i].words), "%s: %s", rows[_i].what, why);
	ck_assert_msg(strlen(why) < sizeof(why) - 1, "%s: cut short", rows[_i].what);
	ck_assert_msg(rc || !*why, "%s: %s", rows[_i].what, why);
}
END_TEST

static const struct {
	const char *what;
	uint32_t min, max, most;
} requests[] = {
	{"not said", 1, 0, 0},
	{"any length", 1, UINT32_MAX, UINT32_MAX - 4095},
	{"a page", 512, 4096, 4096},
	{"a page and a bit", 1, 8191, 4096},
	{"not whole blocks", 65536, 100000, 65536},
};

START_TEST(longest_request)
{
	const struct export_info info = {.block_min = requests[_i].min,
					 .block_max = requests[_i].max};

	ck_assert_msg(export_request_max(&info) == requests[_i].most, "%s: %u", requests[_i].what,
		      export_request_max(&info));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_export");
	TCase *tc = tcase_create("block_export");

	tcase_add_loop_test(tc, what_it_says, 0, TABLE_SIZE(rows));
	tcase_add_loop_test(tc, longest_request, 0, TABLE_SIZE(requests));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
