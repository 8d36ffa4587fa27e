/* xengnttab_open, xengntshr_open and friends: a handle, which is one session with the daemon. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xentoollog.h>

#include "embedded/gnttab/gnttab.h"

void gnt_log(xengnttab_handle *xgt, int errnum, const char *what)
{
	if (xgt->logger)
		xtl_log(xgt->logger, XTL_ERROR, errnum, "gnttab", "%s", what);
}

static int session_open(xengnttab_handle *xgt)
{
	struct wire_plain request = {.opcode = WIRE_GRANT_OPEN};
	struct wire_grant_opened reply;
	struct client_fds fds;
	void *maptrack;
	int rc;

	rc = client_call(&xgt->client, &request, sizeof(request), &reply, sizeof(reply), NULL,
			 &fds);
	if (rc)
		return rc;
	if (fds.count != 1)
		return -EPROTO;
	maptrack = mmap(NULL, sizeof(struct maptrack), PROT_READ | PROT_WRITE, MAP_SHARED,
			fds.fd[0], 0);
	rc = maptrack == MAP_FAILED ? -errno : 0;
	close(fds.fd[0]);
	if (rc)
		return rc;
	xgt->maptrack = maptrack;
	xgt->user.session = reply.session;
	return 0;
}

static xengnttab_handle *handle_open(struct xentoollog_logger *logger, unsigned int flags)
{
	xengnttab_handle *xgt;
	int rc = -EINVAL;

	if (flags)
		goto out;
	rc = -ENOMEM;
	xgt = calloc(1, sizeof(*xgt));
	if (!xgt)
		goto out;
	xgt->logger = logger;
	xgt->pid = getpid();
	rc = client_open(&xgt->client);
	if (rc)
		goto free;
	rc = client_domain_open(&xgt->client, DOMID_SELF, &xgt->own);
	if (rc)
		goto client;
	xgt->user.domid = (uint16_t)xgt->own.domid;
	rc = session_open(xgt);
	if (rc)
		goto domain;
	pthread_mutex_init(&xgt->lock, NULL);
	return xgt;

domain:
	client_domain_close(&xgt->own);
client:
	client_close(&xgt->client);
free:
	gnt_log(xgt, -rc, "cannot reach the embedded host");
	free(xgt);
out:
	errno = -rc;
	return NULL;
}

static void domains_close(xengnttab_handle *xgt, bool mine)
{
	struct gnt_domain *domain;

	while ((domain = xgt->domains)) {
		xgt->domains = domain->next;
		if (domain->memory && mine)
			munmap(domain->memory, (size_t)domain->mapped.frames << FRAME_SHIFT);
		client_domain_close(&domain->mapped);
		free(domain);
	}
}

/* In a child of fork(2) the pages were never mapped, and pins and grants are the parent's. */
static int handle_close(xengnttab_handle *xgt)
{
	bool mine;

	if (!xgt)
		return 0;
	mine = xgt->pid == getpid();
	while (xgt->maps) {
		struct gnt_map *map = xgt->maps;

		xgt->maps = map->next;
		if (mine)
			gnt_map_end(xgt, map);
		else
			free(map);
	}
	while (xgt->areas) {
		struct gnt_area *area = xgt->areas;

		xgt->areas = area->next;
		if (mine)
			gnt_area_end(xgt, area);
		else
			free(area);
	}
	domains_close(xgt, mine);
	munmap(xgt->maptrack, sizeof(*xgt->maptrack));
	client_domain_close(&xgt->own);
	client_close(&xgt->client);
	pthread_mutex_destroy(&xgt->lock);
	free(xgt->slots);
	free(xgt);
	return 0;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int open_flags)
{
	return handle_open(logger, open_flags);
}

int xengnttab_close(xengnttab_handle *xgt)
{
	return handle_close(xgt);
}

int xengnttab_fd(xengnttab_handle *xgt)
{
	return xgt->client.fd;
}

/* Linux's gntdev has one limit for all handles since 4.20 and takes any number here. */
int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants)
{
	return 0;
}

xengntshr_handle *xengntshr_open(struct xentoollog_logger *logger, unsigned int open_flags)
{
	return handle_open(logger, open_flags);
}

int xengntshr_close(xengntshr_handle *xgs)
{
	return handle_close(xgs);
}

int xengntshr_fd(xengntshr_handle *xgs)
{
	return xgs->client.fd;
}
