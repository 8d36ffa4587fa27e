#include "toolstack/domain/migrate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/handover.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/peer.h"
#include "toolstack/domain/rename.h"
#include "toolstack/domain/saved.h"
#include "toolstack/domain/suspend.h"
#include "toolstack/xen/stream.h"

/* What a domain is called that has handed its name over. As xl does. */
#define AWAY "--migratedaway"

/* How often, and how long apart, the other host is asked what became of the domain. */
#define ASK_TIMES   5
#define ASK_SECONDS 2

/* The same of its name, which somebody has who just goes. */
#define NAME_TIMES   20
#define NAME_SECONDS 1

/* Of MIGRATE_SENT. */
#define SENT_SIZE 2048

struct sending {
	struct toolstack *ts;
	uint16_t domid;
	const struct migrate_way *way;
	struct domain_config config;
	struct peer peer;
	struct fault *fault;
};

uint64_t migrate_uptime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

const char *migrate_fate_word(enum migrate_fate fate)
{
	static const char *const words[] = {
		[FATE_ABSENT] = "absent", [FATE_RUNNING] = "running", [FATE_ENDED] = "ended"};

	return words[fate];
}

/* Where it goes and when is written down before "go" may be said. */
static int phase_set(struct sending *s, const char *phase)
{
	char sent[SENT_SIZE];
	int rc = 0;

	snprintf(sent, sizeof(sent), "%" PRIu64 " %s", migrate_uptime(), s->way->host);
	if (!strcmp(phase, "go"))
		rc = xs_write_string(s->ts->xs, XBT_NULL, sent, MIGRATE_SENT, s->domid);
	if (!rc)
		rc = xs_write_string(s->ts->xs, XBT_NULL, phase, MIGRATE_PHASE, s->domid);
	return rc ? fault_set(s->fault, rc, "domain %u: cannot write to the XenStore: %s", s->domid,
			      strerror(-rc))
		  : 0;
}

/* Up to where the guest's memory comes. */
static int greet(struct sending *s)
{
	const char *const words[] = {s->way->paused ? "-p" : NULL, NULL};
	char *text = NULL;
	int rc = save_head(&s->way->as, s->domid, &s->config, &text, s->fault);

	if (!rc && s->way->debug)
		fputs(text, stderr);
	if (!rc)
		rc = peer_start(&s->peer, s->way->shell, s->way->host, words, s->fault);
	if (!rc)
		rc = peer_expect(s->ts, &s->peer, "xsplit migrate 1", s->fault);
	if (rc)
		goto out;
	rc = saved_head_write(s->peer.out, text);
	if (rc && rc != -EPIPE)
		fault_set(s->fault, rc, "%s: cannot write to it: %s", s->peer.name, strerror(-rc));
	else
		rc = peer_expect(s->ts, &s->peer, "planned", s->fault);
out:
	free(text);
	return rc;
}

/* When the stream broke because the other end gave up, that one knows why. */
static int copy(struct sending *s, bool live, int64_t *stopped)
{
	struct fault theirs = {0};
	int rc, heard;

	if (live && !xen_logdirty_works(s->ts->xen, s->domid)) {
		fprintf(stderr,
			"xsplit: domain %u: this Xen cannot tell what it writes, so it stands "
			"still while it is copied\n",
			s->domid);
		live = false;
	}
	rc = save_stream(s->ts, s->domid, &s->config, s->peer.out, live, stopped, s->fault);
	if (!rc || rc == -EINTR)
		return rc;
	/* It waits for more of the stream. */
	close(s->peer.out);
	s->peer.out = -1;
	heard = peer_expect(s->ts, &s->peer, "loaded", &theirs);
	if (heard == -EREMOTEIO || (heard == -ECONNRESET && rc == -EPIPE))
		*s->fault = theirs;
	return rc;
}

static void name_hand_over(struct sending *s)
{
	char name[DOMAIN_NAME_MAX + sizeof(AWAY)];
	struct fault ignored = {0};

	/* A name too long for it keeps it: then the two must be on different hosts. */
	snprintf(name, sizeof(name), "%s" AWAY, s->config.name);
	domain_rename(s->ts, s->domid, name, &ignored);
}

/* The other end, if it is this host, lets go of the images first and of the name a little later. */
static void name_take_back(struct toolstack *ts, uint16_t domid, const char *name)
{
	static const struct timespec apart = {.tv_sec = NAME_SECONDS};
	char kept[DOMAIN_NAME_MAX + 1], *now = name_of(ts, domid);
	struct fault fault = {0};
	size_t length = strlen(name), away = sizeof(AWAY) - 1;
	int rc = -EEXIST;

	snprintf(kept, sizeof(kept), "%s", name);
	if (length > away && !strcmp(kept + length - away, AWAY))
		kept[length - away] = '\0';
	if (now && !strcmp(now, kept))
		rc = 0;
	for (int i = 0; i < NAME_TIMES && rc == -EEXIST; i++) {
		rc = domain_rename(ts, domid, kept, &fault);
		if (rc == -EEXIST)
			nanosleep(&apart, NULL);
	}
	if (rc)
		fprintf(stderr, "xsplit: domain %u: %s\n", domid, fault.text);
	free(now);
}

/* Devices and all: as it was. */
static int take_back(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		     struct fault *fault)
{
	int rc = handover_undo(ts, config, domid, fault);

	if (rc)
		return rc;
	name_take_back(ts, domid, config->name);
	xs_remove(ts->xs, XBT_NULL, MIGRATE_PHASE, domid);
	xs_remove(ts->xs, XBT_NULL, MIGRATE_SENT, domid);
	return record_idle(ts, domid);
}

static int hand_over(struct sending *s)
{
	struct fault late = {0};
	int rc = phase_set(s, "devices");

	if (!rc)
		rc = handover_begin(s->ts, &s->config, s->domid, s->fault);
	name_hand_over(s);
	if (!rc)
		rc = peer_say(&s->peer, "devices", s->fault);
	if (!rc)
		rc = peer_expect(s->ts, &s->peer, "ready", s->fault);
	if (!rc)
		rc = phase_set(s, "go");
	if (!rc)
		return 0;
	/* It must be gone there before it has its images here. */
	peer_end(&s->peer);
	if (take_back(s->ts, &s->config, s->domid, &late))
		/* It is still recorded as busy: xsplitd tries again. */
		fprintf(stderr,
			"xsplit: %s; until then the guest stands still, xsplitd tries again\n",
			late.text);
	return rc;
}

/* Before the other host had its devices, it only was suspended. */
static void stay(struct sending *s, bool suspended)
{
	struct fault late = {0};

	if (suspended && suspend_resume(s->ts, s->domid, &late))
		fprintf(stderr, "xsplit: %s\n", late.text);
	xs_remove(s->ts->xs, XBT_NULL, MIGRATE_PHASE, s->domid);
	record_idle(s->ts, s->domid);
}

/* What the other host answers, and with "absent" for how long it is up. */
static int ask(struct toolstack *ts, const struct migrate_way *way, const uuid_t uuid,
	       enum migrate_fate *fate, uint64_t *up, struct fault *fault)
{
	char text[UUID_STR_LEN], line[PEER_LINE], *number;
	const char *const words[] = {"--query", text, NULL};
	struct peer peer;
	int rc;

	uuid_unparse_lower(uuid, text);
	rc = peer_start(&peer, way->shell, way->host, words, fault);
	if (!rc)
		rc = peer_hear(ts, &peer, line, fault);
	peer_end(&peer);
	if (rc)
		return rc;
	number = strchr(line, ' ');
	if (number)
		*number++ = '\0';
	for (int i = FATE_ABSENT; i <= FATE_ENDED; i++) {
		*fate = (enum migrate_fate)i;
		if (!strcmp(line, migrate_fate_word(*fate)) &&
		    (*fate != FATE_ABSENT || (number && !number_parse(number, INT64_MAX, up))))
			return 0;
	}
	return fault_set(fault, -EPROTO, "%s: it answers \"%s\"", way->host, line);
}

/* May "absent" be believed? */
static int absence_check(struct toolstack *ts, uint16_t domid, const struct migrate_way *way,
			 uint64_t up, struct fault *fault)
{
	char *sent = xs_read_string(ts->xs, XBT_NULL, MIGRATE_SENT, domid);
	char *host = sent ? strchr(sent, ' ') : NULL;
	uint64_t since;
	int rc = 0;

	if (host)
		*host++ = '\0';
	if (!host || number_parse(sent, INT64_MAX, &since))
		rc = fault_set(fault, -ESTALE, "domain %u: where it was sent is not recorded",
			       domid);
	else if (strcmp(host, way->host) != 0)
		rc = fault_set(fault, -ESTALE,
			       "domain %u: %s has it not, but it was sent to %s; ask that one",
			       domid, way->host, host);
	else if (migrate_uptime() - since > up)
		rc = fault_set(fault, -ESTALE,
			       "domain %u: %s started anew since it was sent there, so whether it "
			       "ran there is not known; if it did, its disks are newer than its "
			       "memory: xsplit destroy %u and create it again",
			       domid, host, domid);
	free(sent);
	return rc;
}

static int settle(struct toolstack *ts, uint16_t domid, const struct migrate_way *way,
		  const struct domain_config *config, struct fault *fault)
{
	enum migrate_fate fate;
	uint64_t up = 0;
	int rc = ask(ts, way, config->uuid, &fate, &up, fault);

	if (!rc && fate == FATE_ABSENT)
		rc = absence_check(ts, domid, way, up, fault);
	if (rc)
		return rc;
	if (fate != FATE_ABSENT)
		return domain_destroy(ts, domid, fault);
	rc = take_back(ts, config, domid, fault);
	return rc ? rc
		  : fault_set(fault, -EREMOTEIO, "domain %u: %s did not take it; it goes on here",
			      domid, way->host);
}

int migrate_settle(struct toolstack *ts, uint16_t domid, const struct migrate_way *way,
		   struct fault *fault)
{
	char *phase = xs_read_string(ts->xs, XBT_NULL, MIGRATE_PHASE, domid);
	struct domain_config config;
	bool open = phase && !strcmp(phase, "go");
	int rc;

	free(phase);
	if (!open)
		return fault_set(fault, -EINVAL, "domain %u: no migration of its is open", domid);
	rc = record_config_read(ts, XBT_NULL, domid, &config, fault);
	if (rc)
		return rc;
	rc = settle(ts, domid, way, &config, fault);
	domain_config_free(&config);
	return rc;
}

/* "go" is said: from here on the other host decides. */
static int let_go(struct sending *s)
{
	static const struct timespec apart = {.tv_sec = ASK_SECONDS};
	struct fault lost = {0};
	int rc = peer_say(&s->peer, "go", &lost);

	if (!rc)
		rc = peer_expect(s->ts, &s->peer, "running", &lost);
	if (!rc)
		return domain_destroy(s->ts, s->domid, s->fault);
	peer_end(&s->peer);
	for (int i = 0; i < ASK_TIMES; i++) {
		struct fault why = {0};

		rc = migrate_settle(s->ts, s->domid, s->way, &why);
		if (!rc || rc == -EREMOTEIO) {
			*s->fault = rc ? lost : *s->fault;
			return rc;
		}
		nanosleep(&apart, NULL);
	}
	record_idle(s->ts, s->domid);
	return fault_set(s->fault, -EINPROGRESS,
			 "domain %u: %s; whether it runs there is not known, so it is kept here, "
			 "suspended: xsplit migrate --settle %u %s",
			 s->domid, lost.text, s->domid, s->way->host);
}

static int send(struct sending *s, bool live, struct migrate_times *times)
{
	int64_t begun = clock_ms(), stopped = begun;
	int rc = phase_set(s, "copy");
	bool suspended = false;

	if (!rc)
		rc = greet(s);
	if (!rc) {
		rc = copy(s, live, &stopped);
		suspended = !rc;
		if (!rc)
			rc = peer_expect(s->ts, &s->peer, "loaded", s->fault);
	}
	if (rc) {
		stay(s, suspended);
		return rc;
	}
	rc = hand_over(s);
	if (!rc)
		rc = let_go(s);
	times->all = (unsigned)(clock_ms() - begun);
	times->stopped = (unsigned)(clock_ms() - stopped);
	return rc;
}

int migrate_send(struct toolstack *ts, uint16_t domid, const struct migrate_way *way, bool live,
		 struct migrate_times *times, struct fault *fault)
{
	struct sending s = {.ts = ts, .domid = domid, .way = way, .fault = fault};
	int rc = save_begin(ts, domid, MIGRATE_BUSY, &s.config, fault);

	if (rc)
		return rc;
	s.peer = (struct peer){.in = -1, .out = -1};
	rc = send(&s, live, times);
	peer_end(&s.peer);
	domain_config_free(&s.config);
	return rc;
}

/* At the sender. */
static int sender_recover(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	char *phase = xs_read_string(ts->xs, XBT_NULL, MIGRATE_PHASE, domid);
	bool go = phase && !strcmp(phase, "go"), devices = phase && !strcmp(phase, "devices");
	struct domain_config config;
	char *sent;
	int rc;

	free(phase);
	if (go) {
		record_idle(ts, domid);
		sent = xs_read_string(ts->xs, XBT_NULL, MIGRATE_SENT, domid);
		rc = fault_set(fault, -EINPROGRESS,
			       "whether it runs on the other host is not known, so it is kept, "
			       "suspended: xsplit migrate --settle %u %s",
			       domid, sent && strchr(sent, ' ') ? strchr(sent, ' ') + 1 : "HOST");
		free(sent);
		return rc;
	}
	if (!devices) {
		xs_remove(ts->xs, XBT_NULL, MIGRATE_PHASE, domid);
		return save_recover(ts, domid, fault);
	}
	rc = record_config_read(ts, XBT_NULL, domid, &config, fault);
	if (rc)
		return rc;
	rc = take_back(ts, &config, domid, fault);
	domain_config_free(&config);
	return rc;
}

int migrate_recover(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	return record_busy_is(ts, domid, MIGRATE_BUSY) ? sender_recover(ts, domid, fault)
						       : receive_recover(ts, domid, fault);
}
