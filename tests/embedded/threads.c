/*
 * threads - many threads use one handle of each kind at once, in a domain that grants to itself.
 *
 *   threads DOMID
 *
 * Each does its own work and checks it; a sanitizer's build sees whether they get in each other's
 * way.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#define THREADS 4
#define ROUNDS  3000

static struct {
	uint32_t domid;
	xengnttab_handle *gnttab;
	xengntshr_handle *gntshr;
	xenevtchn_handle *here, *there;
	_Atomic int heard;
} all;

_Noreturn static void failed(const char *what)
{
	(void)fprintf(stderr, "threads: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void copy_there_and_back(uint32_t ref, uint32_t value)
{
	uint32_t back = 0;
	xengnttab_grant_copy_segment_t segments[2] = {
		{.flags = GNTCOPY_dest_gref, .len = sizeof(value), .source.virt = &value},
		{.flags = GNTCOPY_source_gref, .len = sizeof(back), .dest.virt = &back},
	};

	segments[0].dest.foreign.ref = segments[1].source.foreign.ref = ref;
	segments[0].dest.foreign.domid = segments[1].source.foreign.domid = (uint16_t)all.domid;
	if (xengnttab_grant_copy(all.gnttab, 2, segments) || segments[0].status ||
	    segments[1].status || back != value)
		failed("grant copy");
}

static void *grants(void *arg)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t refs[2];
		uint32_t *mine = xengntshr_share_pages(all.gntshr, all.domid, 2, refs, 1);
		uint32_t *mapped;

		if (!mine)
			failed("share");
		copy_there_and_back(refs[1], i);
		mapped = xengnttab_map_domain_grant_refs(all.gnttab, 2, all.domid, refs,
							 PROT_READ | PROT_WRITE);
		if (!mapped || mapped[1024] != i)
			failed("map");
		mapped[0] = i + 1;
		if (mine[0] != i + 1)
			failed("shared memory");
		if (xengnttab_unmap(all.gnttab, mapped, 2) ||
		    xengntshr_unshare(all.gntshr, mine, 2))
			failed("unmap");
	}
	return NULL;
}

/* Ports come and go while others are notified through the same handle. */
static void *events(void *arg)
{
	for (int i = 0; i < ROUNDS / 10; i++) {
		int to = xenevtchn_bind_unbound_port(all.there, all.domid);
		int from = xenevtchn_bind_interdomain(all.here, all.domid, (evtchn_port_t)to);

		if (to < 0 || from < 0)
			failed("bind");
		for (int n = 0; n < 20; n++)
			if (xenevtchn_notify(all.here, (evtchn_port_t)from))
				failed("notify");
		if (xenevtchn_unbind(all.here, (evtchn_port_t)from) ||
		    xenevtchn_unbind(all.there, (evtchn_port_t)to))
			failed("unbind");
	}
	return NULL;
}

static void *listen_all(void *arg)
{
	xenevtchn_handle *xce = arg;
	struct pollfd poller = {.fd = xenevtchn_fd(xce), .events = POLLIN};

	while (poll(&poller, 1, 300) == 1) {
		int port = xenevtchn_pending(xce);

		if (port >= 0)
			(void)xenevtchn_unmask(xce, (evtchn_port_t)port);
		atomic_fetch_add(&all.heard, port >= 0);
	}
	return NULL;
}

/* What libraries of Xen promise a child: it may close what it inherited, and nothing happens to us.
 */
static void fork_and_close(void)
{
	uint32_t ref;
	char *mine = xengntshr_share_pages(all.gntshr, all.domid, 1, &ref, 1);
	char *mapped = xengnttab_map_grant_ref(all.gnttab, all.domid, ref, PROT_READ);
	pid_t child = fork();
	int status;

	if (!child) {
		xengnttab_close(all.gnttab);
		xengntshr_close(all.gntshr);
		xenevtchn_close(all.here);
		_exit(0);
	}
	if (!mine || !mapped || waitpid(child, &status, 0) != child || status)
		failed("a child closing our handles");
	mine[7] = 7;
	if (mapped[7] != 7)
		failed("a mapping after a child closed it");
	copy_there_and_back(ref, 77);
	if (xengnttab_unmap(all.gnttab, mapped, 1) || xengntshr_unshare(all.gntshr, mine, 1))
		failed("unmap after a fork");
}

int main(int argc, char **argv)
{
	pthread_t threads[2 * THREADS], listeners[2];

	if (argc != 2)
		return 2;
	all.domid = (uint32_t)strtoul(argv[1], NULL, 10);
	all.gnttab = xengnttab_open(NULL, 0);
	all.gntshr = xengntshr_open(NULL, 0);
	all.here = xenevtchn_open(NULL, 0);
	all.there = xenevtchn_open(NULL, 0);
	if (!all.gnttab || !all.gntshr || !all.here || !all.there)
		failed("open");
	fork_and_close();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, grants, NULL) ||
		    pthread_create(&threads[THREADS + i], NULL, events, NULL))
			failed("thread");
	if (pthread_create(&listeners[0], NULL, listen_all, all.here) ||
	    pthread_create(&listeners[1], NULL, listen_all, all.there))
		failed("thread");
	for (int i = 0; i < 2 * THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_join(listeners[0], NULL);
	pthread_join(listeners[1], NULL);
	if (!all.heard)
		failed("no event was heard");
	xenevtchn_close(all.there);
	xenevtchn_close(all.here);
	xengntshr_close(all.gntshr);
	xengnttab_close(all.gnttab);
	return EXIT_SUCCESS;
}
