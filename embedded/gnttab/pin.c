/* Pins: the domains whose pages we use, our maptrack slots, and notifications. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "embedded/gnttab/gnttab.h"

static bool domain_gone(const struct gnt_domain *domain)
{
	return atomic_load(&domain->mapped.table->domid) == DOMID_INVALID;
}

/* Forgets those that died and are not used any more. */
static void domains_purge(xengnttab_handle *xgt)
{
	struct gnt_domain **at = &xgt->domains;

	while (*at) {
		struct gnt_domain *domain = *at;

		if (domain->users || !domain_gone(domain)) {
			at = &domain->next;
			continue;
		}
		*at = domain->next;
		if (domain->memory)
			munmap(domain->memory, (size_t)domain->mapped.frames << FRAME_SHIFT);
		client_domain_close(&domain->mapped);
		free(domain);
	}
}

static struct gnt_domain *domain_open(xengnttab_handle *xgt, uint32_t domid)
{
	struct gnt_domain *domain = calloc(1, sizeof(*domain));

	domains_purge(xgt);
	if (!domain || client_domain_open(&xgt->client, domid, &domain->mapped)) {
		free(domain);
		return NULL;
	}
	domain->next = xgt->domains;
	xgt->domains = domain;
	return domain;
}

/* With the lock held. */
static struct gnt_domain *domain_find(xengnttab_handle *xgt, uint32_t domid)
{
	struct gnt_domain *domain;

	if (domid == DOMID_SELF)
		domid = xgt->own.domid;
	for (domain = xgt->domains; domain; domain = domain->next)
		if (domain->mapped.domid == domid && !domain_gone(domain))
			return domain;
	return domain_open(xgt, domid);
}

static struct maptrack_slot *slot_take(xengnttab_handle *xgt)
{
	uint32_t top = xgt->maptrack->top;

	if (xgt->slot_count)
		return &xgt->maptrack->slot[xgt->slots[--xgt->slot_count]];
	if (top == MAPTRACK_SLOTS)
		return NULL;
	if (!(top & (top - 1))) { /* a power of two, or 0: room for as many again */
		uint32_t *slots = realloc(xgt->slots, (top ? 2 * top : 1) * sizeof(*slots));

		if (!slots)
			return NULL;
		xgt->slots = slots;
	}
	atomic_store(&xgt->maptrack->top, top + 1);
	return &xgt->maptrack->slot[top];
}

/* One whose lock could not be had stays the daemon's to release. */
static void slot_give(xengnttab_handle *xgt, struct maptrack_slot *slot)
{
	if (slot->state == MAPTRACK_FREE)
		xgt->slots[xgt->slot_count++] = (uint32_t)(slot - xgt->maptrack->slot);
}

int16_t gnt_pin_take(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, bool write,
		     struct gnt_pin *pin)
{
	int16_t status = GNTST_no_device_space;

	pthread_mutex_lock(&xgt->lock);
	pin->domain = domain_find(xgt, domid);
	if (!pin->domain) {
		status = GNTST_bad_domain;
		goto out;
	}
	pin->slot = slot_take(xgt);
	if (!pin->slot)
		goto out;
	pin->domain->users++;
	pthread_mutex_unlock(&xgt->lock);

	status = grant_pin(pin->domain->mapped.table, ref, &xgt->user, write, pin->slot,
			   &pin->frame);
	if (!status)
		return GNTST_okay;

	pthread_mutex_lock(&xgt->lock);
	slot_give(xgt, pin->slot);
	pin->domain->users--;
out:
	pthread_mutex_unlock(&xgt->lock);
	return status;
}

void gnt_pin_release(xengnttab_handle *xgt, struct gnt_pin *pin)
{
	(void)grant_unpin(pin->domain->mapped.table, &xgt->user, pin->slot);
	pthread_mutex_lock(&xgt->lock);
	slot_give(xgt, pin->slot);
	if (!--pin->domain->users && domain_gone(pin->domain))
		domains_purge(xgt);
	pthread_mutex_unlock(&xgt->lock);
}

char *gnt_pin_memory(xengnttab_handle *xgt, struct gnt_pin *pin)
{
	struct gnt_domain *domain = pin->domain;
	size_t size = (size_t)domain->mapped.frames << FRAME_SHIFT;
	void *memory;

	pthread_mutex_lock(&xgt->lock);
	if (!domain->memory) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			      domain->mapped.memory, 0);
		if (memory != MAP_FAILED) {
			(void)madvise(memory, size, MADV_DONTFORK);
			domain->memory = memory;
		}
	}
	memory = domain->memory;
	pthread_mutex_unlock(&xgt->lock);
	return memory ? (char *)memory + ((size_t)pin->frame << FRAME_SHIFT) : NULL;
}

char *gnt_map_frames(uint32_t count, int prot,
		     uint32_t (*frame)(const void *arg, uint32_t n, int *memory), const void *arg)
{
	size_t size = (size_t)count << FRAME_SHIFT;
	char *address =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint32_t run;

	if (address == MAP_FAILED)
		return NULL;
	for (uint32_t i = 0; i < count; i += run) {
		int memory, other;
		uint32_t first = frame(arg, i, &memory);

		run = 1;
		while (i + run < count && frame(arg, i + run, &other) == first + run &&
		       other == memory)
			run++;
		if (mmap(address + ((size_t)i << FRAME_SHIFT), (size_t)run << FRAME_SHIFT, prot,
			 MAP_SHARED | MAP_FIXED, memory, (off_t)first << FRAME_SHIFT) == MAP_FAILED)
			goto out;
	}
	/* As with gntdev, a child of fork(2) has not got them. */
	(void)madvise(address, size, MADV_DONTFORK);
	return address;

out:
	run = (uint32_t)errno;
	munmap(address, size);
	errno = (int)run;
	return NULL;
}

int gnt_notify_set(xengnttab_handle *xgt, uint32_t serial, uint32_t frame, uint32_t index,
		   evtchn_port_t port, uint32_t size, struct gnt_notify *notify)
{
	struct wire_grant_notify request = {
		.opcode = WIRE_GRANT_NOTIFY_SET, .serial = serial, .frame = frame, .port = port};
	struct wire_grant_notify_set reply;
	int rc;

	if (index < size)
		request.flags |= WIRE_NOTIFY_BYTE;
	if (port != (evtchn_port_t)-1)
		request.flags |= WIRE_NOTIFY_EVENT;
	if (!request.flags)
		return 0;
	request.offset = index & (FRAME_SIZE - 1);
	rc = client_call(&xgt->client, &request, sizeof(request), &reply, sizeof(reply), NULL,
			 NULL);
	if (rc)
		return rc;
	*notify = (struct gnt_notify){.flags = request.flags, .id = reply.id, .index = index};
	return 0;
}

void gnt_notify_byte(struct gnt_notify *notify, char *address)
{
	if (notify->flags & WIRE_NOTIFY_BYTE)
		__atomic_store_n(address + notify->index, 0, __ATOMIC_SEQ_CST);
}

void gnt_notify_event(xengnttab_handle *xgt, struct gnt_notify *notify)
{
	struct wire_grant_notify_fire request = {.opcode = WIRE_GRANT_NOTIFY_FIRE,
						 .id = notify->id};
	struct wire_result reply;

	if (notify->flags)
		(void)client_call(&xgt->client, &request, sizeof(request), &reply, sizeof(reply),
				  NULL, NULL);
	notify->flags = 0;
}
