#include "embedded/host/grant.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "embedded/grant.h"
#include "embedded/host/evtchn.h"
#include "lib/log.h"
#include "lib/sealed.h"

/** Notifications that a session may have set up. */
#define NOTIFIES_MAX 4096u

/** How long a lock's living holder is given before we look again. */
static const struct timeval retry = {.tv_usec = 2000};

struct notify {
	LIST_ENTRY(notify) next;
	uint32_t id;
	struct wire_grant_notify what;
};

struct grant_session {
	LIST_ENTRY(grant_session) next;
	struct host *host;
	struct domain *domain; /* NULL: gone, and with it all that it granted */
	uint32_t id;
	struct maptrack *maptrack;
	struct event *again; /* the process is gone, but a pin of its is on a locked entry */
	LIST_HEAD(notifies, notify) notifies;
	uint32_t notify_count, notify_id;
};

/* --- pins --- */

static uint32_t maptrack_top(const struct grant_session *grants)
{
	uint32_t top = atomic_load(&grants->maptrack->top);

	return top < MAPTRACK_SLOTS ? top : MAPTRACK_SLOTS;
}

/* The holder of the entry's lock died: only the maptracks say for certain who has it pinned. */
static void entry_recount(struct host *host, struct domain *domain, uint32_t ref)
{
	const struct grant_session *grants;
	uint16_t readers = 0, writers = 0;

	LIST_FOREACH (grants, &host->grants, next)
		for (uint32_t i = 0; i < maptrack_top(grants); i++) {
			const struct maptrack_slot *slot = &grants->maptrack->slot[i];

			if (slot->serial != domain->serial || slot->ref != ref)
				continue;
			readers += slot->state == MAPTRACK_READER;
			writers += slot->state == MAPTRACK_WRITER;
		}
	grant_recount(domain->table, ref, readers, writers);
}

/* Return: false when the entry is locked by somebody else just now. */
static bool slot_release(struct grant_session *grants, struct maptrack_slot *slot)
{
	struct domain *domain = domain_find_serial(grants->host, slot->serial);
	struct shared_active *active;

	if (slot->state == MAPTRACK_FREE)
		return true;
	if (!domain || slot->ref >= SHARED_REFS)
		goto out;
	active = &domain->table->active[slot->ref];
	if (grant_trylock(active, grants->id, OWNER_HOST))
		entry_recount(grants->host, domain, slot->ref);
	else if (slot->state == MAPTRACK_TRYING)
		goto out;
	else if (!grant_trylock(active, OWNER_NONE, OWNER_HOST))
		return false;
	grant_unpin_locked(domain->table, slot);
	grant_unlock(active);
out:
	slot->state = MAPTRACK_FREE;
	return true;
}

/* What was revoked while they were held ends now: a dead process's grants too, though the kernel
 * may have closed the handle that granted before the one that mapped. */
static bool pins_release(struct grant_session *grants)
{
	const struct domain *domain;
	bool all = true;

	for (uint32_t i = 0; i < maptrack_top(grants); i++)
		all &= slot_release(grants, &grants->maptrack->slot[i]);
	LIST_FOREACH (domain, &grants->host->domains, next)
		grant_reap(domain->table, grants->id);
	return all;
}

/* --- grants --- */

static void shares_end(struct grant_session *grants)
{
	struct domain *domain = grants->domain;
	struct shared_table *table = domain->table;
	uint32_t refs = atomic_load(&table->ref_top), frames = atomic_load(&table->frame_top);

	for (uint32_t ref = SHARED_REFS_RESERVED; ref < refs && ref < SHARED_REFS; ref++)
		if (atomic_load(&table->ref_owner[ref]) == grants->id)
			(void)grant_end(table, ref, grants->id);
	for (uint32_t i = SHARED_FRAMES_RESERVED; i < frames && i < domain->frames; i++)
		grant_frame_give(table, i, grants->id);
}

/* --- notifications, as gntdev and gntalloc carry them out --- */

static void notify_byte(struct host *host, const struct notify *notify)
{
	struct domain *domain = domain_find_serial(host, notify->what.serial);
	const char zero = 0;

	if (domain && notify->what.flags & WIRE_NOTIFY_BYTE)
		(void)!pwrite(domain->memory_fd, &zero, 1,
			      ((off_t)notify->what.frame << FRAME_SHIFT) + notify->what.offset);
}

static void notify_event(struct grant_session *grants, struct notify *notify)
{
	if (grants->domain && notify->what.flags & WIRE_NOTIFY_EVENT) {
		evtchn_send(grants->domain, notify->what.port);
		evtchn_put(grants->domain, notify->what.port);
	}
	LIST_REMOVE(notify, next);
	grants->notify_count--;
	free(notify);
}

/* --- the end --- */

static void grants_free(struct grant_session *grants)
{
	LIST_REMOVE(grants, next);
	if (grants->again)
		event_free(grants->again);
	munmap(grants->maptrack, sizeof(*grants->maptrack));
	free(grants);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct grant_session *grants = arg;

	if (pins_release(grants) || event_add(grants->again, &retry))
		grants_free(grants);
}

/* The lock that one waits for may have been the dead process's. */
static void waiting_retry(struct host *host)
{
	struct grant_session *grants, *after;

	for (grants = LIST_FIRST(&host->grants); grants; grants = after) {
		after = LIST_NEXT(grants, next);
		if (grants->again && pins_release(grants))
			grants_free(grants);
	}
}

void grant_session_end(struct session *session)
{
	struct grant_session *grants = session->grant;
	struct notify *notify, *after;

	session->grant = NULL;
	if (!grants)
		return;
	LIST_FOREACH (notify, &grants->notifies, next)
		notify_byte(grants->host, notify);
	if (!pins_release(grants)) {
		grants->again = evtimer_new(grants->host->base, on_again, grants);
		if (grants->again && event_add(grants->again, &retry))
			log_error("grant session %u: its pins are left: no memory", grants->id);
	}
	if (grants->domain)
		shares_end(grants);
	for (notify = LIST_FIRST(&grants->notifies); notify; notify = after) {
		after = LIST_NEXT(notify, next);
		notify_event(grants, notify);
	}
	if (!grants->again)
		grants_free(grants);
	waiting_retry(session->host);
}

void grant_domain_gone(struct domain *domain)
{
	struct grant_session *grants;

	LIST_FOREACH (grants, &domain->host->grants, next)
		if (grants->domain == domain)
			grants->domain = NULL;
}

/* --- operations --- */

static int run_open(struct session *session, const void *request, void *reply,
		    struct session_fds *fds)
{
	struct wire_grant_opened *opened = reply;
	struct grant_session *grants;
	void *maptrack;
	int fd, rc;

	if (session->grant)
		return -EEXIST;
	grants = calloc(1, sizeof(*grants));
	if (!grants)
		return -ENOMEM;
	fd = sealed_memory("xsplit-maptrack", sizeof(struct maptrack));
	if (fd < 0) {
		rc = fd;
		goto out;
	}
	maptrack = mmap(NULL, sizeof(struct maptrack), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (maptrack == MAP_FAILED) {
		rc = -errno;
		goto file;
	}
	grants->host = session->host;
	grants->domain = session->domain;
	grants->maptrack = maptrack;
	grants->id = grants->maptrack->session = OWNER_SESSION + session->host->session++;
	LIST_INSERT_HEAD(&session->host->grants, grants, next);
	session->grant = grants;
	opened->session = grants->id;
	fds->out[0] = fd;
	fds->out_count = 1;
	fds->given = 1;
	return 0;

file:
	close(fd);
out:
	free(grants);
	return rc;
}

static int run_notify_set(struct session *session, const void *request, void *reply,
			  struct session_fds *fds)
{
	const struct wire_grant_notify *set = request;
	const struct domain *domain = domain_find_serial(session->host, set->serial);
	struct grant_session *grants = session->grant;
	struct notify *notify;

	if (!grants)
		return -EBADF;
	if (!domain)
		return -ESRCH;
	if (set->frame >= domain->frames || set->offset >= FRAME_SIZE)
		return -EINVAL;
	if (grants->notify_count >= NOTIFIES_MAX)
		return -ENOSPC;
	notify = calloc(1, sizeof(*notify));
	if (!notify)
		return -ENOMEM;
	if (set->flags & WIRE_NOTIFY_EVENT && evtchn_get(session->domain, set->port)) {
		free(notify);
		return -EINVAL;
	}
	notify->id = ++grants->notify_id;
	notify->what = *set;
	LIST_INSERT_HEAD(&grants->notifies, notify, next);
	grants->notify_count++;
	((struct wire_grant_notify_set *)reply)->id = notify->id;
	return 0;
}

static int run_notify_fire(struct session *session, const void *request, void *reply,
			   struct session_fds *fds)
{
	const struct wire_grant_notify_fire *fire = request;
	struct notify *notify;

	if (!session->grant)
		return -EBADF;
	LIST_FOREACH (notify, &session->grant->notifies, next)
		if (notify->id == fire->id) {
			notify_event(session->grant, notify);
			return 0;
		}
	return -ENOENT;
}

const struct operation grant_operations[] = {
	OPERATION(WIRE_GRANT_OPEN, struct wire_plain, struct wire_grant_opened, false, run_open),
	OPERATION(WIRE_GRANT_NOTIFY_SET, struct wire_grant_notify, struct wire_grant_notify_set,
		  false, run_notify_set),
	OPERATION(WIRE_GRANT_NOTIFY_FIRE, struct wire_grant_notify_fire, struct wire_result, false,
		  run_notify_fire),
	{0},
};
