/* The store, as platform.h wants it of an ordinary process. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/process/host_internal.h"
#include "lib/number.h"

/* How long the store may have no transaction for us: 10 seconds. */
#define BEGIN_TRIES    1000
#define BEGIN_PAUSE_US 10000

struct host_watch {
	struct platform_watch platform; /* first */
	struct host *host;
	unsigned number; /* the watch's token */
	char *path;
	LIST_ENTRY(host_watch) link;
};

int host_store_read(struct platform *platform, uint32_t transaction, const char *path, char *value,
		    size_t size)
{
	unsigned length;
	char *found = xs_read(host_of(platform)->xs, transaction, path, &length);
	int rc = (int)length;

	if (!found)
		return errno == ENOENT ? -ENOENT : -EIO;
	if (length >= size)
		rc = -E2BIG;
	else if (memchr(found, '\0', length))
		rc = -EIO;
	else
		memcpy(value, found, length + 1);
	free(found);
	return rc;
}

int host_store_write(struct platform *platform, uint32_t transaction, const char *path,
		     const char *value)
{
	bool written =
		xs_write(host_of(platform)->xs, transaction, path, value, (unsigned)strlen(value));

	return written ? 0 : -errno;
}

int host_store_remove(struct platform *platform, uint32_t transaction, const char *path)
{
	return xs_rm(host_of(platform)->xs, transaction, path) ? 0 : -errno;
}

/* A guest may have ten at a time (xenstored's quota), and each of its disks is a process. */
int host_store_begin(struct platform *platform, uint32_t *transaction)
{
	int rc = -ENOSPC;

	for (int tries = 0; tries < BEGIN_TRIES && rc == -ENOSPC; tries++) {
		if (tries)
			usleep(BEGIN_PAUSE_US);
		*transaction = xs_transaction_start(host_of(platform)->xs);
		rc = *transaction == XBT_NULL ? -errno : 0;
	}
	if (rc == -ENOSPC)
		log_error("the store takes no transaction of this domain for %d seconds; is its "
			  "quota of transactions used up by others?",
			  BEGIN_TRIES / (1000000 / BEGIN_PAUSE_US));
	return rc;
}

int host_store_end(struct platform *platform, uint32_t transaction, bool commit)
{
	return xs_transaction_end(host_of(platform)->xs, transaction, !commit) ? 0 : -errno;
}

int host_store_watch(struct platform *platform, const char *path, void (*handler)(void *arg),
		     void *arg, struct platform_watch **made)
{
	struct host *host = host_of(platform);
	struct host_watch *watch = calloc(1, sizeof(*watch));
	char token[16];
	int rc = -ENOMEM;

	if (!watch)
		return rc;
	watch->path = strdup(path);
	if (!watch->path)
		goto out;
	watch->host = host;
	watch->number = host->watches_made++;
	watch->platform = (struct platform_watch){handler, arg};
	snprintf(token, sizeof(token), "%u", watch->number);
	if (!xs_watch(host->xs, path, token)) {
		rc = -errno;
		goto out;
	}
	LIST_INSERT_HEAD(&host->watches, watch, link);
	*made = &watch->platform;
	return 0;
out:
	free(watch->path);
	free(watch);
	return rc;
}

void host_store_unwatch(struct platform *platform, struct platform_watch *made)
{
	struct host_watch *watch = (struct host_watch *)made;
	char token[16];

	snprintf(token, sizeof(token), "%u", watch->number);
	xs_unwatch(watch->host->xs, watch->path, token);
	LIST_REMOVE(watch, link);
	free(watch->path);
	free(watch);
}

void host_watch_run(struct host *host, const char *token)
{
	struct host_watch *watch;
	uint32_t number;

	if (number_parse_u32(token, &number))
		return;
	LIST_FOREACH (watch, &host->watches, link) {
		if (watch->number == number) {
			watch->platform.handler(watch->platform.arg);
			return; /* the handler may have removed it */
		}
	}
}
