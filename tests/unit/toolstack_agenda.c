#include "tests/unit/check.h"
#include "toolstack/xsplitd/agenda.h"

/* What domain 5, which runs, and the rest are after one event. */
static const struct {
	const char *path;
	bool five, all, recorded;
} events[] = {
	{"/tool/xsplit/domain/5", true, false, false},
	{"/tool/xsplit/domain/5/busy", true, false, false},
	{"/tool/xsplit/domain/55/busy", false, false, false},
	{"/tool/xsplit/domain", false, false, false},
	{"/tool/xsplit/domain/", false, false, false},
	{"/tool/xsplit/domain/five", true, true, false},
	{"/tool/xsplit/domain/123456789", true, true, false},
	{"/tool/xsplit/creating/0-1", false, false, true},
	{"/tool/xsplit/restart", false, false, true},
	{"/tool/xsplit/domains/5", false, false, true},
	{"@releaseDomain", false, false, false},
	{"@introduceDomain", false, false, false},
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
