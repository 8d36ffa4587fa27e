/* The model of grants: pages, who may use them, who does, and what is in them. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>

#include "tests/embedded/property.h"

#define PAGES   96u
#define AREAS   160u
#define SPAN    4u /* pages in an area */
#define BYTES   8u /* of each page, and of a buffer's each slot, that the model knows */
#define DEAD    32u
#define SEGMENT 8u
#define BLOWS   16u /* pages that the hammers were given */

struct page {
	bool known, granted;
	bool hammered; /* hammers use it too, when the model does not know */
	uint32_t domid, ref, to;
	bool writable;
	uint32_t pins;
	uint8_t byte[BYTES];
};

/** What an agent shared, or mapped. */
struct area {
	bool used, map, writable;
	uint32_t agent, number, count;
	struct page *page[SPAN];
};

static struct {
	struct page page[PAGES];
	struct area area[AREAS];
	struct page dead[DEAD]; /* revoked while nobody used them */
	uint32_t deaths;
	/* What the hammers know of a page is its reference, which may become another page's. */
	struct {
		uint32_t domid, ref;
	} blow[BLOWS];
	uint32_t blows;
	uint8_t buffer[AGENTS][BYTES];
} model;

static uint32_t domid_of(uint32_t agent)
{
	return lab.agent[agent].domid;
}

static uint32_t domid_any(void)
{
	uint32_t n = below(DOMAINS * 4 + 1);

	return n < DOMAINS * 4 ? lab.domid[n % DOMAINS] : NOBODY;
}

static struct page *page_new(void)
{
	for (uint32_t i = 0; i < PAGES; i++)
		if (!model.page[i].known)
			return &model.page[i];
	return NULL;
}

/* A page that is granted to somebody: it is certain who may use it. */
static struct page *page_any(void)
{
	for (uint32_t tries = 0; tries < 64; tries++) {
		struct page *page = &model.page[below(PAGES)];

		if (page->known && page->granted)
			return page;
	}
	return NULL;
}

static bool page_allows(const struct page *page, uint32_t agent, bool write)
{
	return page->to == domid_of(agent) && (page->writable || !write);
}

static bool ref_hammered(uint32_t domid, uint32_t ref)
{
	for (uint32_t i = 0; i < model.blows; i++)
		if (model.blow[i].domid == domid && model.blow[i].ref == ref)
			return true;
	return false;
}

static void page_settle(struct page *page)
{
	if (!page->granted && !page->pins)
		page->known = false;
}

static void page_revoke(struct page *page)
{
	page->granted = false;
	if (!page->pins && !page->hammered)
		model.dead[model.deaths++ % DEAD] = *page;
	page_settle(page);
}

static struct area *area_new(void)
{
	for (uint32_t i = 0; i < AREAS; i++)
		if (!model.area[i].used)
			return &model.area[i];
	return NULL;
}

static struct area *area_any(uint32_t agent)
{
	for (uint32_t tries = 0; tries < 64; tries++) {
		struct area *area = &model.area[below(AREAS)];

		if (area->used && area->agent == agent)
			return area;
	}
	return NULL;
}

static void area_forget(struct area *area)
{
	area->used = false;
	for (uint32_t i = 0; i < area->count; i++)
		if (area->map) {
			area->page[i]->pins--;
			page_settle(area->page[i]);
		} else {
			page_revoke(area->page[i]);
		}
}

/* No reference may come again while anybody uses its page. */
static void ref_check(uint32_t domid, uint32_t ref)
{
	for (uint32_t i = 0; i < PAGES; i++)
		if (model.page[i].known && model.page[i].domid == domid && model.page[i].ref == ref)
			wrong("a reference in use was given out", ref, 0);
	for (uint32_t i = 0; i < DEAD; i++)
		if (model.dead[i].domid == domid && model.dead[i].ref == ref)
			model.dead[i].known = false;
}

static void share(uint32_t agent)
{
	struct area *area = area_new();
	uint32_t count = 1 + below(SPAN), to = domid_any();
	bool writable = below(3);

	if (!area)
		return;
	must("share", agent_do(&lab.agent[agent], AGENT_SHARE, to, count, writable, 0), 0);
	*area = (struct area){.used = true,
			      .writable = true,
			      .agent = agent,
			      .number = lab.agent[agent].reply.value};
	for (uint32_t i = 0; i < count; i++) {
		struct page *page = page_new();
		uint32_t ref = lab.agent[agent].reply.list[i];

		if (!page) {
			wrong("the model has room for a page", 0, 1);
			return;
		}
		ref_check(domid_of(agent), ref);
		*page = (struct page){.known = true,
				      .granted = true,
				      .hammered = ref_hammered(domid_of(agent), ref),
				      .domid = domid_of(agent),
				      .ref = ref,
				      .to = to,
				      .writable = writable};
		area->page[area->count++] = page;
	}
}

static uint32_t pages_free(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < PAGES; i++)
		count += !model.page[i].known;
	return count;
}

static void map(uint32_t agent)
{
	struct agent_request request = {.op = AGENT_MAP_DOMAINS, .b = 1 + below(SPAN)};
	struct area *area = area_new(), want = {.used = true, .map = true, .agent = agent};
	bool allowed = true;

	want.writable = below(2);
	request.c = (uint32_t)(want.writable ? PROT_READ | PROT_WRITE : PROT_READ);
	for (; want.count < request.b; want.count++) {
		struct page *page = page_any();

		/* Mostly something that will work. */
		for (uint32_t tries = 0; page && tries < 8; tries++)
			if (!page_allows(page, agent, want.writable))
				page = page_any();
		if (!area || !page)
			return;
		allowed &= page_allows(page, agent, want.writable);
		request.list[want.count] = page->ref;
		request.list[request.b + want.count] = page->domid;
		want.page[want.count] = page;
	}
	must("map", agent_ask(&lab.agent[agent], &request), allowed ? 0 : -EINVAL);
	if (!allowed)
		return;
	want.number = lab.agent[agent].reply.value;
	for (uint32_t i = 0; i < want.count; i++)
		want.page[i]->pins++;
	*area = want;
}

static void map_dead(uint32_t agent)
{
	const struct page *page = &model.dead[below(DEAD)];
	struct agent_request request = {
		.op = AGENT_MAP, .a = page->domid, .b = 1, .c = PROT_READ, .list = {page->ref}};

	if (page->known)
		must("map of a revoked grant", agent_ask(&lab.agent[agent], &request), -EINVAL);
}

static void area_end(uint32_t agent)
{
	struct area *area = area_any(agent);

	if (!area)
		return;
	for (uint32_t i = 0; i < area->count && !area->map; i++)
		if (area->page[i]->hammered)
			return;
	must(area->map ? "unmap" : "unshare",
	     agent_do(&lab.agent[agent], area->map ? AGENT_UNMAP : AGENT_UNSHARE, area->number, 0,
		      0, 0),
	     0);
	area_forget(area);
}

static void memory(uint32_t agent)
{
	const struct area *area = area_any(agent);
	struct agent *by = &lab.agent[agent];
	uint32_t at = below(BYTES), value = below(256), page, offset;

	if (!area)
		return;
	page = below(area->count);
	offset = page * 4096 + at;
	if (below(2)) {
		must("read", agent_do(by, AGENT_READ, area->number, offset, 0, 0), 0);
		must("byte", by->reply.value, area->page[page]->byte[at]);
		return;
	}
	must("write", agent_do(by, AGENT_WRITE, area->number, offset, value, 0),
	     area->writable ? 0 : -EFAULT);
	if (area->writable)
		area->page[page]->byte[at] = (uint8_t)value;
}

static void buffer_check(uint32_t agent)
{
	uint32_t at = below(BYTES);

	must("read of the buffer", agent_do(&lab.agent[agent], AGENT_READ, AGENT_OWN, at, 0, 0), 0);
	must("byte of the buffer", lab.agent[agent].reply.value, model.buffer[agent][at]);
}

struct side {
	struct page *page; /* NULL: the agent's own buffer */
	uint32_t offset, domid, ref;
	uint8_t *bytes;
};

static bool side_any(struct side *side, uint32_t agent, bool foreign, uint32_t length)
{
	*side = (struct side){.offset = below(BYTES + 1 - length)};
	side->bytes = model.buffer[agent];
	if (!foreign)
		return true;
	side->page = page_any();
	if (!side->page)
		return false;
	side->bytes = side->page->byte;
	side->domid = below(50) ? side->page->domid : NOBODY;
	side->ref = below(50) ? side->page->ref : 0x40000000;
	return true;
}

static int side_status(const struct side *side, uint32_t agent, bool write)
{
	if (!side->page)
		return GNTST_okay;
	if (side->domid == NOBODY)
		return GNTST_bad_domain;
	if (side->ref != side->page->ref)
		return GNTST_bad_gntref;
	return page_allows(side->page, agent, write) ? GNTST_okay : GNTST_general_error;
}

static int copy_status(const struct side *from, const struct side *to, uint32_t agent,
		       uint32_t length)
{
	int status = length ? side_status(from, agent, false) : GNTST_okay;

	return status || !length ? status : side_status(to, agent, true);
}

static void copy(uint32_t agent)
{
	struct agent_request request = {.op = AGENT_COPY, .a = 1 + below(SEGMENT)};
	struct agent_segment segment[SEGMENT] = {0};
	struct side from[SEGMENT], to[SEGMENT];
	bool crossing = !below(40);

	for (uint32_t i = 0; i < request.a; i++) {
		uint32_t flags = 1 + below(3), length = below(BYTES + 1);

		if (!side_any(&from[i], agent, flags & GNTCOPY_source_gref, length) ||
		    !side_any(&to[i], agent, flags & GNTCOPY_dest_gref, length))
			return;
		segment[i] = (struct agent_segment){
			flags,
			length,
			{from[i].ref, from[i].offset, from[i].domid},
			{to[i].ref, to[i].offset, to[i].domid},
		};
	}
	if (crossing) {
		segment[below(request.a)] = (struct agent_segment){
			GNTCOPY_dest_gref, 8, {0, 0, 0}, {9, 4089, lab.domid[0]}};
	}
	memcpy(request.list, segment, request.a * sizeof(segment[0]));
	must("copy", agent_ask(&lab.agent[agent], &request), crossing ? -EINVAL : 0);
	if (crossing)
		return;
	for (uint32_t i = 0; i < request.a; i++) {
		int status = copy_status(&from[i], &to[i], agent, segment[i].length);

		must("status", (int)lab.agent[agent].reply.list[i], status);
		if (!status)
			memmove(to[i].bytes + to[i].offset, from[i].bytes + from[i].offset,
				segment[i].length);
	}
}

void grants_step(uint32_t agent)
{
	uint32_t n = below(100);

	if (n < 6 && pages_free() >= SPAN)
		share(agent);
	else if (n < 14)
		map(agent);
	else if (n < 15)
		map_dead(agent);
	else if (n < 26)
		area_end(agent);
	else if (n < 60)
		memory(agent);
	else if (n < 95)
		copy(agent);
	else
		buffer_check(agent);
}

void grants_agent_died(uint32_t agent)
{
	/* Its maps go first, as they do with a process. */
	for (uint32_t kind = 0; kind < 2; kind++)
		for (uint32_t i = 0; i < AREAS; i++)
			if (model.area[i].used && model.area[i].agent == agent &&
			    model.area[i].map == !kind)
				area_forget(&model.area[i]);
	memset(model.buffer[agent], 0, sizeof(model.buffer[agent]));
}

uint32_t grants_hammer(uint32_t domain, uint32_t *list, uint32_t most)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < PAGES && count < most && model.blows < BLOWS; i++) {
		struct page *page = &model.page[i];

		if (!page->known || !page->granted || page->to != lab.domid[domain])
			continue;
		page->hammered = true;
		model.blow[model.blows].domid = page->domid;
		model.blow[model.blows++].ref = page->ref;
		list[2 * count] = page->domid;
		list[2 * count++ + 1] = page->ref;
	}
	return count;
}

void grants_unhammer(void)
{
	for (uint32_t i = 0; i < PAGES; i++)
		model.page[i].hammered = false;
	model.blows = 0;
}
