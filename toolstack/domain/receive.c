#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/migrate.h"
#include "toolstack/domain/peer.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/saved.h"

struct receiving {
	struct toolstack *ts;
	struct peer *peer;
	char uuid[UUID_STR_LEN];
};

/*
 * Whether the domain may run is decided once, in a transaction: by its receiver that reads "go", or
 * by somebody who asks and must be able to rely on the answer. That it may is remembered for longer
 * than the domain lives.
 */
struct decision {
	uint16_t domid;
	const char *uuid; /* its receiver's; NULL: of somebody who asks */
	const char *from; /* only when it says this now, or nothing is said yet with "" */
	const char *to;
	bool made;
};

static int decision_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct decision *d = arg;
	char *now = xs_read_string(xs, t, MIGRATE_INCOMING, d->domid);
	int rc = 0;

	d->made = !strcmp(now ? now : "", d->from);
	free(now);
	if (d->made)
		rc = xs_write_string(xs, t, d->to, MIGRATE_INCOMING, d->domid);
	if (rc || !d->made || !d->uuid)
		return rc;
	return strcmp(d->to, "go") != 0 ? nodes_remove(xs, t, MIGRATE_RECEIVED, d->uuid)
					: xs_write_string(xs, t, "1", MIGRATE_RECEIVED, d->uuid);
}

static int decide(struct toolstack *ts, struct decision *decision, struct fault *fault)
{
	int rc = xs_transact(ts->xs, decision_write, decision);

	if (rc)
		return fault_set(fault, rc, "domain %u: cannot write to the XenStore: %s",
				 decision->domid, strerror(-rc));
	return decision->made ? 0
			      : fault_set(fault, -ECANCELED,
					  "domain %u: somebody asked for it meanwhile, so it must "
					  "not run here any more",
					  decision->domid);
}

/* The memory is there; the devices are still the sender's. */
static int loaded(void *arg, uint16_t domid, struct fault *fault)
{
	struct receiving *r = arg;
	int rc = peer_say(r->peer, "loaded", fault);

	return rc ? rc : peer_expect(r->ts, r->peer, "devices", fault);
}

static int finish(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	bool paused = xs_exists(ts->xs, XBT_NULL, MIGRATE_PAUSED, domid);
	int rc = paused ? 0 : xen_domain_unpause(ts->xen, domid, fault);

	if (!rc)
		rc = xs_remove(ts->xs, XBT_NULL, MIGRATE_INCOMING, domid);
	if (!rc && paused)
		rc = xs_remove(ts->xs, XBT_NULL, MIGRATE_PAUSED, domid);
	return rc ? rc : record_idle(ts, domid);
}

static int take(struct receiving *r, uint16_t domid, bool paused, struct fault *fault)
{
	struct decision waiting = {.domid = domid, .uuid = r->uuid, .from = "", .to = "waiting"};
	struct decision go = {.domid = domid, .uuid = r->uuid, .from = "waiting", .to = "go"};
	struct fault ignored = {0};
	/* Its creation wrote the record anew, so this comes after it. */
	int rc = paused ? xs_write_string(r->ts->xs, XBT_NULL, "1", MIGRATE_PAUSED, domid) : 0;

	if (rc)
		fault_set(fault, rc, "domain %u: cannot write to the XenStore: %s", domid,
			  strerror(-rc));
	if (!rc)
		rc = decide(r->ts, &waiting, fault);
	if (!rc)
		rc = peer_say(r->peer, "ready", fault);
	if (!rc)
		rc = peer_expect(r->ts, r->peer, "go", fault);
	if (!rc)
		rc = decide(r->ts, &go, fault);
	if (rc) {
		domain_destroy(r->ts, domid, &ignored);
		return rc;
	}
	rc = finish(r->ts, domid, fault);
	/* It runs, whether the sender hears it or not. */
	if (!rc)
		peer_say(r->peer, "running", &ignored);
	return rc;
}

static int receive(struct receiving *r, const struct domain_config *config, bool paused,
		   struct fault *fault)
{
	const struct create_stream stream = {
		.fd = r->peer->in, .what = "the sender's stream", .loaded = loaded, .arg = r};
	const struct create_options options = {
		.paused = true, .stream = &stream, .busy = RECEIVE_BUSY};
	uint16_t domid;
	int rc = peer_say(r->peer, "planned", fault);

	if (!rc)
		rc = domain_create(r->ts, config, &options, &domid, fault);
	return rc ? rc : take(r, domid, paused, fault);
}

int migrate_receive(struct toolstack *ts, int in, int out, bool paused, struct fault *fault)
{
	struct peer peer = {.name = "the sender", .in = in, .out = out};
	struct receiving r = {.ts = ts, .peer = &peer};
	char words[sizeof(fault->text) + 8], *text = NULL;
	struct domain_config config;
	struct fault ignored = {0};
	int rc = peer_say(&peer, "xsplit migrate 1", fault);

	if (!rc)
		rc = saved_head_read(in, "the sender's stream", &text, fault);
	if (!rc)
		rc = domain_config_parse("the sender's config", text, NULL, 0, &config, fault);
	free(text);
	if (!rc) {
		uuid_unparse_lower(config.uuid, r.uuid);
		rc = plan_incoming(ts, &config, fault);
		if (!rc)
			rc = receive(&r, &config, paused, fault);
		domain_config_free(&config);
	}
	if (rc) {
		snprintf(words, sizeof(words), "failed %s", fault->text);
		peer_say(&peer, words, &ignored);
	}
	return rc;
}

/* A domain that is being received must not run any more when it does not yet. */
static int settled(struct toolstack *ts, uint16_t domid, bool *runs, struct fault *fault)
{
	static const char *const undecided[] = {"waiting", ""};
	struct fault ignored = {0};
	char *now;

	*runs = true;
	if (!record_busy_is(ts, domid, RECEIVE_BUSY))
		return 0;
	for (size_t i = 0; i < sizeof(undecided) / sizeof(undecided[0]); i++) {
		struct decision abort = {.domid = domid, .from = undecided[i], .to = "abort"};
		int rc = decide(ts, &abort, &ignored);

		if (rc && rc != -ECANCELED)
			return fault_set(fault, rc, "%s", ignored.text);
		if (!rc)
			break;
	}
	now = xs_read_string(ts->xs, XBT_NULL, MIGRATE_INCOMING, domid);
	*runs = now ? !strcmp(now, "go") : !record_busy_is(ts, domid, RECEIVE_BUSY);
	free(now);
	return 0;
}

int migrate_ask(struct toolstack *ts, const uuid_t uuid, enum migrate_fate *fate,
		struct fault *fault)
{
	char text[UUID_STR_LEN];
	struct xen_domain *list;
	bool runs = false;
	size_t count;
	int rc = xen_domain_list(ts->xen, &list, &count, fault);

	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc && !runs; i++)
		/* The sender's own, when it is the same host, is not the one. */
		if (!uuid_compare(list[i].uuid, uuid) && !list[i].dying &&
		    !xs_exists(ts->xs, XBT_NULL, MIGRATE_PHASE, list[i].domid))
			rc = settled(ts, list[i].domid, &runs, fault);
	free(list);
	uuid_unparse_lower(uuid, text);
	*fate = runs                                                  ? FATE_RUNNING
		: xs_exists(ts->xs, XBT_NULL, MIGRATE_RECEIVED, text) ? FATE_ENDED
								      : FATE_ABSENT;
	return rc;
}

int receive_recover(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	char *now = xs_read_string(ts->xs, XBT_NULL, MIGRATE_INCOMING, domid);
	bool go = now && !strcmp(now, "go");

	free(now);
	return go ? finish(ts, domid, fault) : domain_destroy(ts, domid, fault);
}
