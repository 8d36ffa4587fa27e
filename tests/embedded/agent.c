/* An agent: see agent.h. */
#include "tests/embedded/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#define PAGE    4096u
#define HANDLES 4

struct area {
	char *address;
	uint32_t pages;
};

static struct {
	xengnttab_handle *gnttab;
	xengntshr_handle *gntshr;
	xenevtchn_handle *evtchn[HANDLES];
	uint32_t handle;
	struct area area[AGENT_AREAS];
	char buffer[AGENT_BUFFER];
	sigjmp_buf fault;
} agent;

static void on_fault(int signal)
{
	siglongjmp(agent.fault, 1);
}

static int failed(void)
{
	return errno ? -errno : -EIO;
}

static int area_add(char *address, uint32_t pages, uint32_t *number)
{
	if (!address)
		return failed();
	for (uint32_t i = 0; i < AGENT_AREAS; i++)
		if (!agent.area[i].address) {
			agent.area[i] = (struct area){.address = address, .pages = pages};
			*number = i;
			return 0;
		}
	return -ENFILE;
}

static struct area *area_find(uint32_t number)
{
	return number < AGENT_AREAS && agent.area[number].address ? &agent.area[number] : NULL;
}

static int share(const struct agent_request *r, struct agent_reply *reply)
{
	void *address;

	if (r->b > AGENT_LIST)
		return -EINVAL;
	if (r->op == AGENT_SHARE)
		address = xengntshr_share_pages(agent.gntshr, r->a, (int)r->b, reply->list,
						(int)r->c);
	else
		address = xengntshr_share_page_notify(agent.gntshr, r->a, reply->list, (int)r->b,
						      r->c, r->d);
	return area_add(address, r->op == AGENT_SHARE ? r->b : 1, &reply->value);
}

static int map(const struct agent_request *r, struct agent_reply *reply)
{
	uint32_t refs[AGENT_LIST], domids[AGENT_LIST];
	void *address;

	memcpy(refs, r->list, sizeof(refs));
	if (r->op == AGENT_MAP_NOTIFY) {
		address = xengnttab_map_grant_ref_notify(agent.gnttab, r->a, r->b,
							 PROT_READ | PROT_WRITE, r->c, r->d);
		return area_add(address, 1, &reply->value);
	}
	if (r->b > AGENT_LIST / 2)
		return -EINVAL;
	memcpy(domids, r->list + r->b, r->b * sizeof(domids[0]));
	if (r->op == AGENT_MAP_DOMAINS)
		address = xengnttab_map_grant_refs(agent.gnttab, r->b, domids, refs, (int)r->c);
	else if (r->b == 1)
		address = xengnttab_map_grant_ref(agent.gnttab, r->a, refs[0], (int)r->c);
	else
		address =
			xengnttab_map_domain_grant_refs(agent.gnttab, r->b, r->a, refs, (int)r->c);
	return area_add(address, r->b, &reply->value);
}

static int area_end(const struct agent_request *r)
{
	struct area *area = area_find(r->a);
	uint32_t pages;
	int rc;

	if (!area)
		return -ENOENT;
	pages = r->b ? r->b : area->pages;
	if (r->op == AGENT_UNMAP)
		rc = xengnttab_unmap(agent.gnttab, area->address, pages);
	else
		rc = xengntshr_unshare(agent.gntshr, area->address, pages);
	if (rc)
		return failed();
	area->address = NULL;
	return 0;
}

static int memory(const struct agent_request *r, struct agent_reply *reply)
{
	const struct area *area = area_find(r->a);
	char *start = r->a == AGENT_OWN ? agent.buffer : area ? area->address : NULL;
	uint32_t size = r->a == AGENT_OWN ? AGENT_BUFFER : area ? area->pages * PAGE : 0;
	volatile unsigned char *byte;

	if (!start || r->b >= size)
		return -ENOENT;
	byte = (volatile unsigned char *)start + r->b;
	if (sigsetjmp(agent.fault, 1))
		return -EFAULT;
	if (r->op == AGENT_WRITE)
		*byte = (unsigned char)r->c;
	else
		reply->value = *byte;
	return 0;
}

static void side(union xengnttab_copy_ptr *side, bool foreign, uint32_t ref, uint32_t offset,
		 uint32_t domid)
{
	if (foreign) {
		side->foreign.ref = ref;
		side->foreign.offset = (uint16_t)offset;
		side->foreign.domid = (uint16_t)domid;
	} else {
		side->virt = agent.buffer + offset % AGENT_BUFFER;
	}
}

static int copy(const struct agent_request *r, struct agent_reply *reply)
{
	struct agent_segment want[AGENT_LIST * sizeof(uint32_t) / sizeof(struct agent_segment)];
	xengnttab_grant_copy_segment_t segments[sizeof(want) / sizeof(want[0])] = {0};

	if (r->a > sizeof(want) / sizeof(want[0]))
		return -EINVAL;
	memcpy(want, r->list, sizeof(want));
	for (uint32_t i = 0; i < r->a; i++) {
		segments[i].flags = (uint16_t)want[i].flags;
		segments[i].len = (uint16_t)want[i].length;
		segments[i].status = 77;
		side(&segments[i].source, want[i].flags & GNTCOPY_source_gref, want[i].from.ref,
		     want[i].from.offset, want[i].from.domid);
		side(&segments[i].dest, want[i].flags & GNTCOPY_dest_gref, want[i].to.ref,
		     want[i].to.offset, want[i].to.domid);
	}
	if (xengnttab_grant_copy(agent.gnttab, r->a, segments))
		return failed();
	for (uint32_t i = 0; i < r->a; i++)
		reply->list[i] = (uint32_t)(int32_t)segments[i].status;
	return 0;
}

static xenevtchn_handle *handle(void)
{
	xenevtchn_handle **xce = &agent.evtchn[agent.handle];

	if (!*xce) {
		*xce = xenevtchn_open(NULL, 0);
		if (*xce)
			(void)fcntl(xenevtchn_fd(*xce), F_SETFL, O_NONBLOCK);
	}
	return *xce;
}

static int handle_reopen(void)
{
	int fd = dup(xenevtchn_fd(handle()));
	xenevtchn_handle *xce = xenevtchn_fdopen(NULL, fd, 0);

	if (!xce) {
		close(fd);
		return failed();
	}
	xenevtchn_close(agent.evtchn[agent.handle]);
	agent.evtchn[agent.handle] = xce;
	return 0;
}

static int handle_close(void)
{
	xenevtchn_close(handle());
	agent.evtchn[agent.handle] = NULL;
	return 0;
}

static int pending(uint32_t wait, struct agent_reply *reply)
{
	struct pollfd poller = {.fd = xenevtchn_fd(handle()), .events = POLLIN};
	int port;

	(void)poll(&poller, 1, (int)wait);
	port = xenevtchn_pending(handle());
	if (port < 0)
		return failed();
	reply->value = (uint32_t)port;
	return 0;
}

static int storm(uint32_t port, uint32_t count)
{
	while (count--)
		if (xenevtchn_notify(handle(), port))
			return failed();
	return 0;
}

/* Not a word about how it went: it is there to be killed in the middle of it. */
static int hammer(const struct agent_request *r)
{
	for (uint32_t round = 0; round < r->b; round++) {
		uint32_t domid = r->list[round % r->a * 2], ref = r->list[round % r->a * 2 + 1];
		xengnttab_grant_copy_segment_t segment = {.flags = GNTCOPY_source_gref, .len = 64};
		void *address;

		side(&segment.source, true, ref, 0, domid);
		side(&segment.dest, false, 0, 4096, 0);
		(void)xengnttab_grant_copy(agent.gnttab, 1, &segment);
		if (round % 4)
			continue;
		address = xengnttab_map_grant_ref(agent.gnttab, domid, ref, PROT_READ);
		if (address)
			(void)xengnttab_unmap(agent.gnttab, address, 1);
	}
	return 0;
}

static int bound(int port, struct agent_reply *reply)
{
	if (port < 0)
		return failed();
	reply->value = (uint32_t)port;
	return 0;
}

static int event(const struct agent_request *r, struct agent_reply *reply)
{
	if (r->op == AGENT_HANDLE) {
		agent.handle = r->a % HANDLES;
		return 0;
	}
	if (!handle())
		return failed();
	switch (r->op) {
	case AGENT_BIND_UNBOUND:
		return bound(xenevtchn_bind_unbound_port(handle(), r->a), reply);
	case AGENT_BIND:
		return bound(xenevtchn_bind_interdomain(handle(), r->a, r->b), reply);
	case AGENT_BIND_VIRQ:
		return bound(xenevtchn_bind_virq(handle(), r->a), reply);
	case AGENT_UNBIND:
		return xenevtchn_unbind(handle(), r->a) ? failed() : 0;
	case AGENT_NOTIFY:
		return xenevtchn_notify(handle(), r->a) ? failed() : 0;
	case AGENT_UNMASK:
		return xenevtchn_unmask(handle(), r->a) ? failed() : 0;
	case AGENT_PENDING:
		return pending(r->a, reply);
	case AGENT_RESTRICT:
		return xenevtchn_restrict(handle(), (domid_t)r->a) ? failed() : 0;
	case AGENT_REOPEN:
		return handle_reopen();
	case AGENT_CLOSE:
		return handle_close();
	case AGENT_STORM:
		return storm(r->a, r->b);
	default:
		return -ENOSYS;
	}
}

static int request_run(const struct agent_request *r, struct agent_reply *reply)
{
	errno = 0;
	switch (r->op) {
	case AGENT_SHARE:
	case AGENT_SHARE_NOTIFY:
		return share(r, reply);
	case AGENT_MAP:
	case AGENT_MAP_DOMAINS:
	case AGENT_MAP_NOTIFY:
		return map(r, reply);
	case AGENT_UNMAP:
	case AGENT_UNSHARE:
		return area_end(r);
	case AGENT_WRITE:
	case AGENT_READ:
		return memory(r, reply);
	case AGENT_COPY:
		return copy(r, reply);
	case AGENT_HAMMER:
		return r->a && r->a <= AGENT_LIST / 2 ? hammer(r) : -EINVAL;
	case AGENT_DIE:
		(void)raise(SIGKILL);
		return -EIO;
	default:
		return event(r, reply);
	}
}

static bool read_all(int fd, void *data, size_t size)
{
	for (ssize_t n; size; size -= (size_t)n, data = (char *)data + n) {
		n = read(fd, data, size);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool write_all(int fd, const void *data, size_t size)
{
	for (ssize_t n; size; size -= (size_t)n, data = (const char *)data + n) {
		n = write(fd, data, size);
		if (n <= 0)
			return false;
	}
	return true;
}

int agent_main(void)
{
	struct agent_request request;
	struct agent_reply reply;

	(void)signal(SIGSEGV, on_fault);
	(void)signal(SIGBUS, on_fault);
	agent.gnttab = xengnttab_open(NULL, 0);
	agent.gntshr = xengntshr_open(NULL, 0);
	if (!agent.gnttab || !agent.gntshr)
		return EXIT_FAILURE;
	while (read_all(STDIN_FILENO, &request, sizeof(request))) {
		memset(&reply, 0, sizeof(reply));
		reply.rc = request_run(&request, &reply);
		if (!write_all(STDOUT_FILENO, &reply, sizeof(reply)))
			break;
	}
	for (uint32_t i = 0; i < HANDLES; i++)
		xenevtchn_close(agent.evtchn[i]);
	xengnttab_close(agent.gnttab);
	xengntshr_close(agent.gntshr);
	return EXIT_SUCCESS;
}
