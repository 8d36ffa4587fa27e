/* What a watch event's path is about. */
#include "backend/xenbus/path.h"
#include "tests/unit/check.h"

static const struct {
	const char *path;
	enum path_scope scope;
	uint16_t domid;
	uint32_t devid;
} paths[] = {
	{"backend/vbd", PATH_CLASS, 0, 0},
	{"backend/vbd/", PATH_CLASS, 0, 0},
	{"backend/vbd/5", PATH_DOMAIN, 5, 0},
	{"backend/vbd/5/51712", PATH_DEVICE, 5, 51712},
	{"backend/vbd/5/51712/state", PATH_DEVICE, 5, 51712},
	{"backend/vbd/5/268435456/queue-0/ring-ref", PATH_DEVICE, 5, 268435456},
	{"backend/vbd/65535/4294967295", PATH_DEVICE, 65535, 4294967295},
	{"backend/vbd/65536/0", PATH_OTHER, 0, 0},
	{"backend/vbd/5/4294967296", PATH_OTHER, 0, 0},
	{"backend/vbd/5/x", PATH_OTHER, 0, 0},
	{"backend/vbd/-1", PATH_OTHER, 0, 0},
	{"backend/vbd/5/999999999999999999999999999999", PATH_OTHER, 0, 0},
	{"backend/vbd3/5/51712", PATH_OTHER, 0, 0},
	{"backend/vif/5/0", PATH_OTHER, 0, 0},
	{"backend", PATH_OTHER, 0, 0},
	{"", PATH_OTHER, 0, 0},
	{"/local/domain/5/device/vbd/51712/state", PATH_OTHER, 0, 0},
	{"@releaseDomain", PATH_OTHER, 0, 0},
};

START_TEST(path)
{
	uint16_t domid = 0;
	uint32_t devid = 0;

	ck_assert_msg(path_parse(paths[_i].path, "vbd", &domid, &devid) == paths[_i].scope, "%s",
		      paths[_i].path);
	if (paths[_i].scope == PATH_DOMAIN || paths[_i].scope == PATH_DEVICE)
		ck_assert_uint_eq(domid, paths[_i].domid);
	if (paths[_i].scope == PATH_DEVICE)
		ck_assert_uint_eq(devid, paths[_i].devid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xenbus_path");
	TCase *tc = tcase_create("xenbus_path");

	tcase_add_loop_test(tc, path, 0, TABLE_SIZE(paths));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
