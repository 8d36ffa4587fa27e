#include "toolstack/xsplitd/observer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/rundir.h"
#include "lib/xs.h"
#include "toolstack/domain/list.h"
#include "toolstack/domain/name.h"
#include "toolstack/nodes.h"
#include "toolstack/xsplitd/changes.h"
#include "toolstack/xsplitd/feed.h"

/* Of xsplit-backend, in the run directory. */
#define BACKEND_SOCKET "backend.sock"

struct observer {
	struct toolstack *ts;
	struct feed *feed;
	struct seen *seen;
	size_t count;
	bool begun;        /* seen is of a look */
	bool backend_lost; /* told */
};

static yajl_gen event_open(const char *event)
{
	struct timespec now;
	yajl_gen json = yajl_gen_alloc(NULL);

	if (!json)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	yajl_gen_map_open(json);
	json_key(json, "time_ms");
	yajl_gen_integer(json, (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	json_string(json, "event", event);
	return json;
}

/* @to: NULL for all */
static void event_close(struct observer *o, yajl_gen json, struct subscriber *to)
{
	const unsigned char *text;
	size_t length;

	yajl_gen_map_close(json);
	if (yajl_gen_get_buf(json, &text, &length) == yajl_gen_status_ok) {
		if (to)
			feed_tell(to, (const char *)text, length);
		else
			feed_say(o->feed, (const char *)text, length);
	}
	yajl_gen_free(json);
}

static void domain_tell(struct observer *o, enum change_kind kind, const struct seen *what,
			struct subscriber *to)
{
	yajl_gen json = event_open(change_word(kind));
	char uuid[UUID_STR_LEN];

	if (!json)
		return;
	uuid_unparse_lower(what->domain.uuid, uuid);
	json_number(json, "domid", what->domain.domid);
	json_string(json, "name", what->name);
	json_string(json, "uuid", uuid);
	if (what->domain.shutdown)
		json_string(json, "reason", list_reason(what->domain.shutdown_reason));
	event_close(o, json, to);
}

static void changed(void *arg, enum change_kind kind, const struct seen *what)
{
	domain_tell(arg, kind, what, NULL);
}

static void greet(void *arg, struct subscriber *subscriber)
{
	struct observer *o = arg;

	for (size_t i = 0; i < o->count; i++)
		if (!o->seen[i].domain.dying)
			domain_tell(o, CHANGE_EXISTS, &o->seen[i], subscriber);
}

static void seen_free(struct seen *seen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(seen[i].name);
	free(seen);
}

void observer_say(struct observer *o, const char *event, uint16_t domid, const char *what)
{
	yajl_gen json = o ? event_open(event) : NULL;

	if (!json)
		return;
	if (domid)
		json_number(json, "domid", domid);
	if (what)
		json_string(json, "what", what);
	event_close(o, json, NULL);
}

/* It need not run where no guest has a device of it. */
static bool backend_wanted(struct observer *o)
{
	static const char *const classes[] = {"vbd", "vif"};
	unsigned count = 0;

	free(nodes_list(o->ts->xs, XBT_NULL, &count, "/tool/xsplit/domain"));
	if (!count)
		return false;
	count = 0;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]) && !count; i++)
		free(nodes_list(o->ts->xs, XBT_NULL, &count, "/local/domain/%u/backend/%s",
				BACKEND_DOMID, classes[i]));
	return count > 0;
}

static bool backend_listens(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, rc = -1;

	if (rundir_path(address.sun_path, sizeof(address.sun_path), BACKEND_SOCKET))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
		rc = rc && errno == EAGAIN ? 0 : rc; /* busy, but there */
		close(fd);
	}
	return !rc;
}

/* Its guests' rings wait for the next backend, which takes them over. */
static void backend_look(struct observer *o)
{
	bool lost = backend_wanted(o) && !backend_listens();

	if (lost == o->backend_lost)
		return;
	o->backend_lost = lost;
	if (lost)
		log_error(
			"xsplit-backend does not run, and guests wait for their devices; start it");
	else
		log_info("xsplit-backend is not missed any more");
	observer_say(o, lost ? "backend-lost" : "backend-back", 0, NULL);
}

static int domid_compare(const void *a, const void *b)
{
	return (int)((const struct seen *)a)->domain.domid -
	       (int)((const struct seen *)b)->domain.domid;
}

static char *name_now(struct observer *o, const struct xen_domain *domain,
		      const struct agenda *agenda)
{
	const struct seen key = {.domain = *domain}, *before = NULL;

	if (o->count && !agenda_stirred(agenda, domain->domid))
		before = bsearch(&key, o->seen, o->count, sizeof(*before), domid_compare);
	if (before && !uuid_compare(before->domain.uuid, domain->uuid))
		return strdup(before->name);
	return name_of(o->ts, domain->domid);
}

void observer_look(struct observer *o, const struct xen_domain *list, size_t count,
		   const struct agenda *agenda)
{
	struct seen *now = o ? calloc(count + 1, sizeof(*now)) : NULL;
	size_t named = 0;

	if (!now)
		return;
	/* Without a name it is being made, or removed. */
	for (size_t i = 0; i < count; i++) {
		now[named].domain = list[i];
		now[named].name = name_now(o, &list[i], agenda);
		named += now[named].name != NULL;
	}
	if (o->begun)
		changes_find(o->seen, o->count, now, named, changed, o);
	o->begun = true;
	seen_free(o->seen, o->count);
	o->seen = now;
	o->count = named;
	if (agenda->all)
		backend_look(o);
}

int observer_open(struct observer **result, struct toolstack *ts, struct event_base *base)
{
	struct observer *o = calloc(1, sizeof(*o));
	int rc = o ? 0 : -ENOMEM;

	if (!rc) {
		o->ts = ts;
		rc = feed_open(&o->feed, base, greet, o);
	}
	if (rc)
		free(o);
	else
		*result = o;
	return rc;
}

void observer_close(struct observer *o)
{
	if (!o)
		return;
	feed_close(o->feed);
	seen_free(o->seen, o->count);
	free(o);
}
