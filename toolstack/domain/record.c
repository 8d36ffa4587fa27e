#include "toolstack/domain/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/xs.h"
#include "toolstack/domain/list.h"

/* A message to the store is at most 4096 bytes, the path among them (xs_wire.h). */
#define PIECE 2048

/* How often, and how long apart, somebody looks whether xsplitd has seen to a dead one's work. */
#define DEAD_LOOKS   50
#define DEAD_LOOK_MS 100

void record_text(struct nodes *nodes, const char *dir, const char *text)
{
	char name[24];
	size_t length = strlen(text);

	for (size_t i = 0; i * PIECE < length; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		nodes_add(nodes, dir, name, "%.*s", PIECE, text + i * PIECE);
	}
}

void record_config(struct nodes *nodes, uint16_t domid, const char *text)
{
	char dir[64];

	snprintf(dir, sizeof(dir), RECORD_PATH "/config", domid);
	record_text(nodes, dir, text);
}

int record_config_replace(struct toolstack *ts, xs_transaction_t t, uint16_t domid,
			  const char *text)
{
	struct nodes nodes = {0};
	struct domain_config config;
	struct fault ignored = {0};
	int rc = domain_config_parse("config", text, NULL, 0, &config, &ignored);

	/* One that cannot be read again would be the end of the guest at its next restart. */
	if (rc)
		return rc;
	domain_config_free(&config);
	rc = xs_remove(ts->xs, t, RECORD_PATH "/config", domid);
	record_config(&nodes, domid, text);
	if (!rc)
		rc = nodes_write(&nodes, ts->xs, t);
	nodes_free(&nodes);
	return rc;
}

char *record_text_read(struct toolstack *ts, xs_transaction_t t, const char *dir)
{
	char *text = NULL, *piece;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (unsigned i = 0; (piece = xs_read_string(ts->xs, t, "%s/%u", dir, i)); i++) {
		fputs(piece, out);
		free(piece);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

char *record_config_text(struct toolstack *ts, xs_transaction_t t, uint16_t domid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), RECORD_PATH "/config", domid);
	return record_text_read(ts, t, dir);
}

int record_config_read(struct toolstack *ts, xs_transaction_t t, uint16_t domid,
		       struct domain_config *config, struct fault *fault)
{
	char source[64], *text = record_config_text(ts, t, domid);
	int rc;

	snprintf(source, sizeof(source), "config of domain %u", domid);
	if (!text)
		return fault_memory(fault);
	if (*text)
		rc = domain_config_parse(source, text, NULL, 0, config, fault);
	else
		rc = fault_set(fault, -ENOENT, "%s: not kept; another toolstack made the domain",
			       source);
	free(text);
	return rc;
}

/*
 * The 22nd word of /proc/PID/stat: with the id it names one process for ever. 0: there is no such
 * process, or it has ended and only waits for its parent.
 */
static uint64_t start_time(pid_t pid)
{
	char path[32], line[1024], *behind, state;
	uint64_t start = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file) && (behind = strrchr(line, ')')) &&
	    (sscanf(behind,
		    ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		    "%" SCNu64,
		    &state, &start) != 2 ||
	     state == 'Z' || state == 'X'))
		start = 0;
	fclose(file);
	return start;
}

void record_worker_text(const char *what, char text[64])
{
	snprintf(text, 64, "%d %" PRIu64 " %s", (int)getpid(), start_time(getpid()), what);
}

int record_busy(struct toolstack *ts, uint16_t domid, const char *what)
{
	char text[64];

	record_worker_text(what, text);
	return xs_write_string(ts->xs, XBT_NULL, text, RECORD_PATH "/busy", domid);
}

int record_idle(struct toolstack *ts, uint16_t domid)
{
	return xs_remove(ts->xs, XBT_NULL, RECORD_PATH "/busy", domid);
}

bool record_busy_is(struct toolstack *ts, uint16_t domid, const char *what)
{
	char *text = xs_read_string(ts->xs, XBT_NULL, RECORD_PATH "/busy", domid);
	const char *word = text ? strrchr(text, ' ') : NULL;
	bool is = word && !strcmp(word + 1, what);

	free(text);
	return is;
}

bool record_busy_own(struct toolstack *ts, xs_transaction_t t, uint16_t domid, const char *what)
{
	char own[64], *busy = xs_read_string(ts->xs, t, RECORD_PATH "/busy", domid);
	bool is;

	record_worker_text(what, own);
	is = busy && !strcmp(busy, own);
	free(busy);
	return is;
}

static enum record_worker worker_of(const char *text, pid_t *pid)
{
	uint64_t start;
	int id;

	if (sscanf(text, "%d %" SCNu64, &id, &start) != 2 || id <= 0 || !start ||
	    start_time(id) != start)
		return WORKER_DEAD;
	*pid = id;
	return WORKER_ALIVE;
}

bool record_end_is(struct toolstack *ts, const struct xen_domain *domain)
{
	char *end = xs_read_string(ts->xs, XBT_NULL, RECORD_PATH "/end", domain->domid);
	bool is = end && !strcmp(end, list_reason(domain->shutdown_reason));

	free(end);
	return is;
}

static enum record_worker worker_at(struct toolstack *ts, xs_transaction_t t, const char *path,
				    pid_t *pid)
{
	char *text = xs_read_string(ts->xs, t, "%s", path);
	enum record_worker worker = text ? worker_of(text, pid) : WORKER_NONE;

	free(text);
	return worker;
}

enum record_worker record_worker_at(struct toolstack *ts, const char *path, pid_t *pid)
{
	return worker_at(ts, XBT_NULL, path, pid);
}

enum record_worker record_worker(struct toolstack *ts, uint16_t domid, pid_t *pid)
{
	char path[64];

	snprintf(path, sizeof(path), RECORD_PATH "/busy", domid);
	return record_worker_at(ts, path, pid);
}

int record_free(struct toolstack *ts, xs_transaction_t t, uint16_t domid, struct fault *fault)
{
	char path[64];
	pid_t pid;

	snprintf(path, sizeof(path), RECORD_PATH "/busy", domid);
	switch (worker_at(ts, t, path, &pid)) {
	case WORKER_ALIVE:
		return fault_set(fault, -EBUSY,
				 "domain %u: process %d works on it; try again when it is done",
				 domid, (int)pid);
	case WORKER_DEAD:
		return fault_set(fault, -EBUSY,
				 "domain %u: whoever worked on it died half way; start xsplitd or "
				 "run xsplit doctor --repair, then try again",
				 domid);
	case WORKER_NONE:
	default:
		return 0;
	}
}

struct taking {
	struct toolstack *ts;
	uint16_t domid;
	const char *what;
	struct fault *fault;
};

static int taking_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct taking *taking = arg;
	char text[64];
	int rc;

	taking->fault->text[0] = '\0';
	rc = record_free(taking->ts, t, taking->domid, taking->fault);
	record_worker_text(taking->what, text);
	return rc ? rc : xs_write_string(xs, t, text, RECORD_PATH "/busy", taking->domid);
}

int record_take(struct toolstack *ts, uint16_t domid, const char *what, struct fault *fault)
{
	static const struct timespec apart = {.tv_nsec = DEAD_LOOK_MS * 1000000};
	struct taking taking = {ts, domid, what, fault};
	pid_t pid;
	int rc;

	for (int i = 0; i < DEAD_LOOKS && record_worker(ts, domid, &pid) == WORKER_DEAD; i++)
		nanosleep(&apart, NULL);
	rc = xs_transact(ts->xs, taking_write, &taking);
	return rc && !fault->text[0]
		       ? fault_set(fault, rc, "domain %u: cannot write to the XenStore: %s", domid,
				   strerror(-rc))
		       : rc;
}
