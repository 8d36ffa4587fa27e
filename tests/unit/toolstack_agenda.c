#include "tests/unit/check.h"
#include "toolstack/xsplitd/agenda.h"

/* What domain 5, which runs, and the rest are after one event. */
static const struct {
	const char *path;
	bool five, all, recorded, handled;
} events[] = {
	{"/tool/xsplit/domain/5", true, false, false, false},
	{"/tool/xsplit/domain/5/busy", true, false, false, false},
	{"/tool/xsplit/domain/55/busy", false, false, false, false},
	{"/tool/xsplit/domain", true, true, false, false},
	{"/tool/xsplit/domain/", true, true, false, false},
	{"/tool/xsplit/domain/five", true, true, false, false},
	{"/tool/xsplit/domain/123456789", true, true, false, false},
	{"/tool/xsplit/creating/0-1", false, false, true, false},
	{"/tool/xsplit/restart", false, false, true, false},
	{"/tool/xsplit/domains/5", false, false, true, false},
	{"@releaseDomain", false, false, false, false},
	{"@introduceDomain", false, false, false, false},
	{"/libxl/5/device/vbd/51712/params", false, false, false, true},
	{"/libxl/5/device/vif/0", false, false, false, true},
	{"/libxl/55/device/vif/0", false, false, false, false},
	{"/libxl/5/devices", false, false, false, false},
	{"/libxl/5", false, false, false, false},
	{"/libxl", false, false, false, true},
	{"/libxl/65535/device/vbd/51712", false, false, false, false},
	{"/libxl/five/device/vbd/51712", false, false, false, false},
};

START_TEST(agenda_of_events)
{
	static const struct xen_domain runs = {.domid = 5};
	static struct agenda agenda;

	agenda = (struct agenda){0};
	agenda_event(&agenda, events[_i].path);
	ck_assert_msg(agenda_has(&agenda, 5, &runs) == events[_i].five, "%s", events[_i].path);
	ck_assert_msg(agenda_stirred(&agenda, 5) == events[_i].five, "%s", events[_i].path);
	ck_assert_msg(agenda.all == events[_i].all, "%s", events[_i].path);
	ck_assert_msg(agenda.recorded == events[_i].recorded, "%s", events[_i].path);
	ck_assert_msg(agenda.handled[5] == events[_i].handled, "%s", events[_i].path);
}
END_TEST

START_TEST(agenda_of_ends)
{
	static const struct xen_domain runs = {.domid = 5}, ended = {.domid = 5, .shutdown = true},
				       dying = {.domid = 5, .dying = true};
	static const struct agenda empty;

	ck_assert(!agenda_has(&empty, 5, &runs));
	ck_assert(agenda_has(&empty, 5, &ended));
	ck_assert(agenda_has(&empty, 5, &dying));
	ck_assert(agenda_has(&empty, 5, NULL));
}
END_TEST

START_TEST(agenda_of_reserved_numbers)
{
	static struct agenda agenda;

	agenda_domain(&agenda, DOMID_FIRST_RESERVED);
	agenda_event(&agenda, "/tool/xsplit/domain/65535");
	ck_assert(!agenda_stirred(&agenda, DOMID_FIRST_RESERVED));
	ck_assert(!agenda.all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_agenda");
	TCase *t = tcase_create("agenda");

	tcase_add_loop_test(t, agenda_of_events, 0, TABLE_SIZE(events));
	tcase_add_test(t, agenda_of_ends);
	tcase_add_test(t, agenda_of_reserved_numbers);
	suite_add_tcase(suite, t);
	return check_main(suite);
}
