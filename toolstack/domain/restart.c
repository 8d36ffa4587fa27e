#include "toolstack/domain/restart.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/xs.h"
#include "toolstack/domain/record.h"

/* How often it is tried, some seconds apart. */
#define TRIES 20

void restart_record(struct nodes *nodes, const char *uuid, const char *text, unsigned quick)
{
	char dir[96], config[112], worker[64];

	snprintf(dir, sizeof(dir), RESTART_PATH, uuid);
	snprintf(config, sizeof(config), "%s/config", dir);
	record_worker_text(RECORD_RESTART, worker);
	nodes_add(nodes, dir, "busy", "%s", worker);
	nodes_add(nodes, dir, "quick", "%u", quick);
	record_text(nodes, config, text);
}

bool restart_wanted(struct xs_handle *xs, xs_transaction_t t, const char *uuid)
{
	return xs_exists(xs, t, RESTART_PATH "/config", uuid);
}

static int take_write(struct xs_handle *xs, xs_transaction_t t, void *uuid)
{
	char worker[64];

	if (!restart_wanted(xs, t, uuid))
		return -ECANCELED;
	record_worker_text(RECORD_RESTART, worker);
	return xs_write_string(xs, t, worker, RESTART_PATH "/busy", (const char *)uuid);
}

int restart_take(struct toolstack *ts, const char *uuid)
{
	return xs_transact(ts->xs, take_write, (void *)uuid);
}

int restart_read(struct toolstack *ts, const char *uuid, struct domain_config *config,
		 unsigned *quick, struct fault *fault)
{
	char dir[96], source[96], *text;
	uint64_t number = 0;
	int rc;

	snprintf(dir, sizeof(dir), RESTART_PATH "/config", uuid);
	snprintf(source, sizeof(source), "config of domain %s", uuid);
	xs_read_number(ts->xs, XBT_NULL, UINT16_MAX, &number, RESTART_PATH "/quick", uuid);
	*quick = (unsigned)number;
	text = record_text_read(ts, XBT_NULL, dir);
	if (!text)
		return fault_memory(fault);
	if (*text)
		rc = domain_config_parse(source, text, NULL, 0, config, fault);
	else
		rc = fault_set(fault, -ENOENT, "%s: not kept", source);
	free(text);
	return rc;
}

static int again_write(struct xs_handle *xs, xs_transaction_t t, void *uuid)
{
	uint64_t tries = 0;

	if (!restart_wanted(xs, t, uuid))
		return -ECANCELED;
	xs_read_number(xs, t, TRIES, &tries, RESTART_PATH "/tries", (const char *)uuid);
	if (++tries >= TRIES)
		return -ETIMEDOUT;
	return xs_write_number(xs, t, tries, RESTART_PATH "/tries", (const char *)uuid);
}

int restart_again(struct toolstack *ts, const char *uuid)
{
	return xs_transact(ts->xs, again_write, (void *)uuid);
}

int restart_forget(struct toolstack *ts, const char *uuid)
{
	return xs_exists(ts->xs, XBT_NULL, RESTART_PATH, uuid)
		       ? nodes_forget(ts->xs, RESTART_PATH, uuid)
		       : 0;
}

static bool is_named(struct toolstack *ts, const char *uuid, const char *name)
{
	struct domain_config config = {0};
	struct fault ignored = {0};
	unsigned quick;
	bool named;

	if (restart_read(ts, uuid, &config, &quick, &ignored))
		return false;
	named = config.name && !strcmp(config.name, name);
	domain_config_free(&config);
	return named;
}

/* He sees that the record is gone at the latest when the backends have, or have not, come. */
static void maker_await(pid_t pid)
{
	struct pollfd polled = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};

	if (polled.fd < 0)
		return;
	poll(&polled, 1, 2 * BACKEND_SECONDS * 1000);
	close(polled.fd);
}

static int forget_and_await(struct toolstack *ts, const char *uuid)
{
	char path[96];
	pid_t pid;
	int rc;

	snprintf(path, sizeof(path), RESTART_PATH "/busy", uuid);
	if (record_worker_at(ts, path, &pid) != WORKER_ALIVE)
		return restart_forget(ts, uuid);
	rc = restart_forget(ts, uuid);
	if (!rc)
		maker_await(pid);
	return rc;
}

int restart_forget_name(struct toolstack *ts, const char *name)
{
	unsigned count;
	char **uuids = nodes_list(ts->xs, XBT_NULL, &count, "/tool/xsplit/restart");
	int rc = -ENOENT;

	for (unsigned i = 0; i < count && rc == -ENOENT; i++)
		if (is_named(ts, uuids[i], name))
			rc = forget_and_await(ts, uuids[i]);
	free(uuids);
	return rc;
}
