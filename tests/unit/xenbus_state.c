/*
 * The handshake against every frontend that we know.
 *
 * A story is a row of EVENT:ACTIONS; an event without a colon only sets the scene. Events: f<N> the
 * frontend's state node says N (f0: it is gone), up, down, refused (the worker's answers), dead
 * (the worker died for good), broken (it died, another may take over), bad (the next announce or
 * connect fails), hot and cold (hotplug is ready or not), offline (online=0), o5 (the toolstack
 * writes Closing into our node), gone (our directory), own<N> (at the start: what our node says),
 * resume (and its rings can be taken up). Actions: 2 4 8 5 6 (our state node), C (the worker is
 * asked to connect), D (to disconnect), R (released).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/xenbus/state.h"
#include "tests/unit/check.h"

static const struct xenbus_traits vbd = {.connect_on_initialised = true};
static const struct xenbus_traits vif = {.reconfigures = true};

static const struct {
	const char *who;
	const struct xenbus_traits *traits;
	const char *story;
} stories[] = {
	/* block */
	{"Linux blkfront: life", &vbd, "f1:2 f3:C up:4 f4: f5:5D down: f6:6"},
	{"Linux blkfront: closes and comes back", &vbd,
	 "f1:2 f3:C up:4 f4: f5:5D down: f6:6 f1:2 f3:C"},
	{"Linux blkfront: unplugged", &vbd,
	 "f1:2 f3:C up:4 f4: offline o5: f5:D down: f6:6 gone:R"},
	{"Linux blkfront: unplugged in one step to Closed", &vbd,
	 "f1:2 f3:C up:4 f4: offline o5: f6:D down:6 gone:R"},
	{"mini-os, EDK2: Connected at once", &vbd, "f4:2C up:4"},
	{"mini-os, EDK2: Connected after InitWait", &vbd, "f1:2 f4:C up:4"},
	{"GRUB: Initialised at once and never Connected", &vbd,
	 "f3:2C up:4 f6:5D down:6 f1:2 f3:C up:4"},
	{"mini-os, Unikraft: hands over to the next kernel", &vbd,
	 "f4:2C up:4 f5:5D down: f6:6 f1:2 f3:C up:4 f4:"},
	{"OpenBSD: Initialised without waiting", &vbd, "f1:2 f3:C up:4 f4:"},
	{"Windows: surprise removal", &vbd, "f1:2 f3:C up:4 f4: gone:D down:R"},
	{"NetBSD: Closing is never skipped", &vbd, "f3:2C up:4 f4: f6:5D down:6"},
	{"FreeBSD: waits for InitWait", &vbd, "f1:2 f3:C up:4 f4:"},
	{"kexec: Initialising on a live device", &vbd,
	 "f1:2 f3:C up:4 f4: f1:5D down:62 f3:C up:4 f4:"},
	{"kexec: the new kernel is ready before we let go", &vbd,
	 "f1:2 f3:C up:4 f4: f1:5D f3: down:62C up:4"},
	{"iPXE-like reset of a disk", &vbd, "f6:56 f1:2 f3:C up:4"},
	/* network */
	{"Linux netfront: life", &vif, "f1:2 f4:C up:4 f5:5D down: f6:6"},
	{"Linux netfront: changes its XDP headroom", &vif, "f1:2 f4:C up:4 f7:8 f4:4 f7:8 f4:4"},
	{"Linux netfront: reconfigures before it is connected", &vif, "f1:2 f7: f4:C up:4"},
	{"a vif in Initialised is not ready", &vif, "f1:2 f3: f4:C up:4"},
	{"a vbd does not reconfigure", &vbd, "f1:2 f3:C up:4 f4: f7: f4:"},
	{"iPXE: reset at probe from InitWait", &vif, "f1:2 f6:56 f1:2 f4:C up:4"},
	{"iPXE: reset before it hands over", &vif, "f1:2 f4:C up:4 f6:5D down:6 f1:2 f4:C up:4"},
	{"iPXE: three resets", &vif, "f6:56 f1:2 f6:56 f1:2 f6:56 f1:2 f4:C up:4"},
	{"mini-os: Connected before InitWait", &vif, "f4:2C up:4 f5:5D down: f6:6 f1:2"},
	{"OpenBSD: straight to Connected at attach", &vif, "f1:2 f4:C up:4"},
	{"FreeBSD: xn_reset renegotiates", &vif, "f1:2 f4:C up:4 f6:5D down:6 f1:2 f4:C up:4"},
	{"mirage: directly to Closed", &vif, "f4:2C up:4 f6:5D down:6"},
	{"suspend cancelled: nothing was torn down", &vif, "f1:2 f4:C up:4 f4: f4:"},
	{"suspend of a disk cancelled", &vbd, "f1:2 f3:C up:4 f4: f4:"},
	/* toolstack */
	{"the frontend's directory comes after ours", &vbd, "f0:2 f1: f3:C up:4"},
	{"waits for hotplug after InitWait", &vif, "cold f1:2 f4: hot:C up:4"},
	{"closed while it waits for hotplug", &vbd, "cold f1:2 f3: f5:5 f6:6"},
	{"removed before the frontend came", &vbd, "f1:2 offline o5:6 gone:R"},
	{"removed while it waits for hotplug", &vif, "cold f1:2 f4: offline o5:6 gone:R"},
	{"removed while a busy frontend stays", &vbd,
	 "f1:2 f3:C up:4 f4: offline o5: f4: f0:D down:6"},
	{"removed by force", &vbd, "f1:2 f3:C up:4 f4: offline o5: gone:D down:R"},
	{"removed while the worker starts the rings", &vbd,
	 "f1:2 f3:C offline o5: up: f5:D down: f6:6"},
	{"removed: no new life after the final Closed", &vif,
	 "f1:2 f4:C up:4 offline o5: f6:D down:6 f1: f4: gone:R"},
	{"the domain is gone: Unknown", &vif, "f1:2 f4:C up:4 f0:5D down:6 gone:R"},
	{"the domain is gone while the rings start", &vif, "f1:2 f4:C f0:5D up: down:6"},
	{"a frontend's directory that is made anew", &vbd, "f1:2 f3:C up:4 f0:5D down:6 f1:2"},
	/* errors */
	{"nothing to serve: closes and waits", &vbd, "bad f1:56 f1: f3:2C up:4"},
	{"nothing to serve: tried again when the frontend starts over", &vbd, "bad f1:56 f6: f1:2"},
	{"the frontend's nodes are nonsense", &vbd, "f1:2 bad f3:56 f3: f5: f6: f1:2 f3:C up:4"},
	{"the worker refuses the rings", &vbd, "f1:2 f3:C refused:56 f3: f6: f1:2 f3:C up:4"},
	{"the worker dies", &vbd, "f1:2 f3:C up:4 f4: dead:56 f4: f5: f6: f1:2 f3:C up:4 f4:"},
	{"the worker dies while it lets go", &vif, "f1:2 f4:C up:4 f5:5D dead:6 f6: f1:2"},
	{"the worker dies of a removed device", &vif, "f1:2 f4:C up:4 gone:D dead:R"},
	{"removed after it failed", &vbd, "bad f1:56 offline o5:6 gone:R"},
	/* a worker that takes over */
	{"the worker dies, another takes over", &vbd,
	 "f1:2 f3:C up:4 f4: broken:C up: f4: f5:5D down: f6:6"},
	{"the worker dies of two, and of each", &vif, "f1:2 f4:C up:4 broken:C broken:C up: f4:"},
	{"the worker dies before Connected", &vbd, "f1:2 f3:C broken:C up:4 f4:"},
	{"the frontend closes meanwhile", &vbd, "f1:2 f3:C up:4 f4: broken f5:5D f6:6 f1:2"},
	{"another kernel meanwhile", &vbd, "f1:2 f3:C up:4 f4: broken f1:5D62 f3:C up:4"},
	{"the domain dies meanwhile", &vif, "f1:2 f4:C up:4 broken f0:5D6 gone:R"},
	{"removed meanwhile", &vbd, "f1:2 f3:C up:4 f4: broken gone:DR"},
	{"a busy frontend that is to be closed keeps its disk", &vbd,
	 "f1:2 f3:C up:4 f4: offline o5: broken:C up: f4: f6:D down:6"},
	{"SIGTERM meanwhile", &vbd, "f1:2 f3:C up:4 f4: broken stop:5D6"},
	/* the backend ends */
	{"SIGTERM: running", &vbd, "f1:2 f3:C up:4 f4: stop:5D down:6 f5: f6: f1:"},
	{"SIGTERM: starting", &vif, "f1:2 f4:C stop:5D up: down:6"},
	{"SIGTERM: waiting", &vbd, "f1:2 stop:56"},
	/* toggling (XSA-350) */
	{"toggles while the rings start", &vbd, "f1:2 f3:C f1:5D f3: f1: f3: up: down:62C up:4"},
	{"toggles while the rings stop", &vif, "f1:2 f4:C up:4 f5:5D f4: f5: f4: down:62C up:4"},
	{"Closing and back before anybody looked", &vif,
	 "f1:2 f4:C up:4 f5:5D f6: f1: f4: down:62C up:4"},
	{"garbage states", &vbd, "f1:2 f8: f2: f8: f3:C up:4 f8: f2: f4:"},
	/* a supervisor that takes over */
	{"restart: connected before, closes, waits", &vbd, "own4 f4:56 f4: f5: f6: f1:2 f3:C up:4"},
	{"restart: connected before, another kernel already", &vbd, "own4 f1:562 f3:C up:4"},
	{"restart: was closed for a frontend that starts", &vbd, "own6 f1:2 f3:C"},
	{"restart: was closed because it failed", &vbd, "own6 f4: f6: f1:2"},
	{"restart: waited for the frontend", &vif, "own2 f4:C up:4"},
	{"restart: was closing", &vif, "own5 f5: f6:6 f1:2"},
	{"restart: frontend is gone", &vif, "own4 f0:56"},
	{"restart: the rings go on", &vbd, "own4 resume f4:C up: f4: f5:5D down: f6:6"},
	{"restart: they had just started", &vbd, "own2 resume f3:C up:4"},
	{"restart: to be closed, and busy", &vbd, "own5 resume f4:C up: f6:D down:6"},
	{"restart: rings of a frontend that was closing", &vif, "own5 resume f5:D f6:6"},
	{"restart: rings of a frontend that is gone", &vbd, "own4 resume f0:5D6"},
};

struct stage {
	struct xenbus xenbus;
	bool bad; /* the next announce or connect fails */
	char trace[64];
	size_t used;
};

static void begin(struct stage *stage, const struct xenbus_traits *traits, enum xenbus_state own)
{
	xenbus_init(&stage->xenbus, traits, own);
	stage->xenbus.online = true;
	stage->xenbus.hotplug_ready = true;
}

static void note(struct stage *stage, char c)
{
	ck_assert_msg(stage->used < sizeof(stage->trace) - 1, "endless: %s", stage->trace);
	stage->trace[stage->used++] = c;
}

static void wrote(struct stage *stage, enum xenbus_state state)
{
	note(stage, (char)('0' + state));
	xenbus_wrote(&stage->xenbus, state);
}

static bool carry_out(struct stage *stage, enum xenbus_action action)
{
	switch (action) {
	case XENBUS_ANNOUNCE:
	case XENBUS_CONNECT:
		if (stage->bad) {
			stage->bad = false;
			xenbus_fail(&stage->xenbus);
		} else if (action == XENBUS_ANNOUNCE) {
			wrote(stage, XenbusStateInitWait);
		} else {
			note(stage, 'C');
			xenbus_linked(&stage->xenbus, XENBUS_STARTING);
		}
		return true;
	case XENBUS_WRITE_CONNECTED:
		wrote(stage, XenbusStateConnected);
		return true;
	case XENBUS_RECONFIGURE:
		wrote(stage, XenbusStateReconfigured);
		return true;
	case XENBUS_WRITE_CLOSING:
		wrote(stage, XenbusStateClosing);
		return true;
	case XENBUS_DISCONNECT:
		note(stage, 'D');
		/* Nobody is there to ask when the worker is dead. */
		xenbus_linked(&stage->xenbus,
			      stage->xenbus.link == XENBUS_BROKEN ? XENBUS_IDLE : XENBUS_STOPPING);
		return true;
	case XENBUS_WRITE_CLOSED:
		wrote(stage, XenbusStateClosed);
		return true;
	case XENBUS_RELEASE:
		note(stage, 'R');
		return false;
	default:
		return false;
	}
}

/* As device.c: an answer to a question that is no longer open is dropped. */
static void worker_says(struct xenbus *xenbus, const char *what)
{
	if (!strcmp(what, "up") && xenbus->link == XENBUS_STARTING)
		xenbus_linked(xenbus, XENBUS_RUNNING);
	else if (!strcmp(what, "down") && xenbus->link == XENBUS_STOPPING)
		xenbus_linked(xenbus, XENBUS_IDLE);
	else if (!strcmp(what, "broken") &&
		 (xenbus->link == XENBUS_STARTING || xenbus->link == XENBUS_RUNNING))
		xenbus_linked(xenbus, XENBUS_BROKEN);
	else if (!strcmp(what, "dead") ||
		 (!strcmp(what, "refused") && xenbus->link == XENBUS_STARTING))
		xenbus_fail(xenbus);
}

static void event(struct stage *stage, const char *what)
{
	struct xenbus *xenbus = &stage->xenbus;

	if (what[0] == 'f' && what[1] >= '0' && what[1] <= '9')
		xenbus_front(xenbus, (enum xenbus_state)(what[1] - '0'));
	else if (!strncmp(what, "own", 3))
		begin(stage, xenbus->traits, (enum xenbus_state)(what[3] - '0'));
	else if (!strcmp(what, "resume"))
		xenbus_resume(xenbus);
	else if (!strcmp(what, "o5"))
		xenbus_own(xenbus, XenbusStateClosing);
	else if (!strcmp(what, "bad"))
		stage->bad = true;
	else if (!strcmp(what, "offline"))
		xenbus->online = false;
	else if (!strcmp(what, "hot") || !strcmp(what, "cold"))
		xenbus->hotplug_ready = what[0] == 'h';
	else if (!strcmp(what, "stop"))
		xenbus->stopping = true;
	else if (!strcmp(what, "gone"))
		xenbus->present = false;
	else
		worker_says(xenbus, what);
}

START_TEST(frontend)
{
	struct stage stage = {0};
	char story[256], *next, *saved;

	begin(&stage, stories[_i].traits, XenbusStateInitialising);
	snprintf(story, sizeof(story), "%s", stories[_i].story);
	for (next = strtok_r(story, " ", &saved); next; next = strtok_r(NULL, " ", &saved)) {
		char *expected = strchr(next, ':');

		if (expected)
			*expected++ = '\0';
		event(&stage, next);
		if (!expected)
			continue;
		stage.used = 0;
		while (carry_out(&stage, xenbus_next(&stage.xenbus)))
			;
		stage.trace[stage.used] = '\0';
		ck_assert_msg(!strcmp(stage.trace, expected),
			      "%s: %s: after %s: \"%s\", not \"%s\"", stories[_i].who,
			      stories[_i].story, next, stage.trace, expected);
	}
}
END_TEST

/* Whatever a frontend, a worker and a toolstack do: no endless loop, no Closed while mapped. */
START_TEST(toggling)
{
	static const char *const events[] = {"f0",   "f1",      "f2",   "f3",    "f4",
					     "f5",   "f6",      "f7",   "f8",    "up",
					     "down", "refused", "dead", "bad",   "hot",
					     "cold", "offline", "o5",   "broken"};
	struct stage stage = {0};

	srandom((unsigned)_i);
	begin(&stage, _i % 2 ? &vbd : &vif, XenbusStateInitialising);
	for (int n = 0; n < 2000; n++) {
		enum xenbus_action action;

		event(&stage, events[random() % TABLE_SIZE(events)]);
		stage.used = 0;
		do {
			action = xenbus_next(&stage.xenbus);
			ck_assert(action != XENBUS_WRITE_CLOSED ||
				  stage.xenbus.link == XENBUS_IDLE);
			ck_assert(action != XENBUS_CONNECT || stage.xenbus.link == XENBUS_IDLE ||
				  stage.xenbus.link == XENBUS_BROKEN);
			ck_assert(action != XENBUS_RELEASE);
		} while (carry_out(&stage, action));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xenbus_state");
	TCase *tc = tcase_create("xenbus_state");

	tcase_add_loop_test(tc, frontend, 0, TABLE_SIZE(stories));
	tcase_add_loop_test(tc, toggling, 0, 20);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
