/* Grants: who may map, copy and revoke what. */
#include <errno.h>
#include <unistd.h>
#include <xengnttab.h>

#include "tests/embedded/semantics.h"

void map_writable(void)
{
	uint32_t ref, shared = share(&a, &b, 1, true, &ref), mapped;

	expect(poke(&a, shared, 5, 42), 0);
	expect(map(&b, a.domid, 1, &ref, BOTH), 0);
	mapped = b.reply.value;
	expect(peek(&b, mapped, 5), 42);
	expect(peek(&b, mapped, 6), 0);
	expect(poke(&b, mapped, 4095, 7), 0);
	expect(peek(&a, shared, 4095), 7);
	expect(agent_do(&b, AGENT_UNMAP, mapped, 2, 0, 0), -EINVAL);
	expect(unmap(&b, mapped), 0);
	expect(unshare(&a, shared), 0);
}

void map_readonly(void)
{
	uint32_t ref, shared = share(&a, &b, 1, true, &ref), mapped;

	expect(map(&b, a.domid, 1, &ref, READ), 0);
	mapped = b.reply.value;
	expect(poke(&a, shared, 0, 9), 0);
	expect(peek(&b, mapped, 0), 9);
	expect(poke(&b, mapped, 0, 1), -EFAULT);
	expect(peek(&a, shared, 0), 9);
	expect(unmap(&b, mapped), 0);
	expect(unshare(&a, shared), 0);
}

void readonly_grant(void)
{
	uint32_t ref, shared = share(&a, &b, 1, false, &ref);
	struct agent_segment into = {.flags = GNTCOPY_dest_gref, .length = 16};
	struct agent_segment from = {.flags = GNTCOPY_source_gref, .length = 16};

	into.to.ref = from.from.ref = ref;
	into.to.domid = from.from.domid = a.domid;
	expect(poke(&a, shared, 3, 33), 0);
	expect(map(&b, a.domid, 1, &ref, BOTH), -EINVAL);
	expect(copy(&b, &into, 1), 0);
	expect(status(&b, 0), GNTST_general_error);
	expect(copy(&b, &from, 1), 0);
	expect(status(&b, 0), GNTST_okay);
	expect(peek(&b, AGENT_OWN, 3), 33);
	expect(map(&b, a.domid, 1, &ref, READ), 0);
	expect(unmap(&b, b.reply.value), 0);
	expect(unshare(&a, shared), 0);
}

void not_granted_to_us(void)
{
	struct agent other = {.domid = NOBODY};
	uint32_t ref, shared = share(&a, &other, 1, true, &ref);
	struct agent_segment from = {.flags = GNTCOPY_source_gref, .length = 16};

	from.from.ref = ref;
	from.from.domid = a.domid;
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	expect(copy(&b, &from, 1), 0);
	expect(status(&b, 0), GNTST_general_error);
	expect(unshare(&a, shared), 0);
}

void no_such_grant(void)
{
	uint32_t ref = 0x7fffffff;
	struct agent_segment from[2] = {
		{.flags = GNTCOPY_source_gref, .length = 16, .from = {.domid = a.domid}},
		{.flags = GNTCOPY_source_gref, .length = 16, .from = {.domid = NOBODY}},
	};

	from[0].from.ref = ref;
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	expect(map(&b, NOBODY, 1, &ref, READ), -EINVAL);
	expect(copy(&b, from, 2), 0);
	expect(status(&b, 0), GNTST_bad_gntref);
	expect(status(&b, 1), GNTST_bad_domain);
}

void map_many(void)
{
	struct agent_request request = {.op = AGENT_MAP_DOMAINS, .b = 16, .c = BOTH};
	uint32_t refs[16], shared = share(&a, &b, 16, true, refs), mapped;

	for (uint32_t i = 0; i < 16; i++)
		expect(poke(&a, shared, i * PAGE, i + 1), 0);
	expect(map(&b, a.domid, 16, refs, BOTH), 0);
	mapped = b.reply.value;
	for (uint32_t i = 0; i < 16; i++) {
		expect(peek(&b, mapped, i * PAGE), i + 1);
		request.list[i] = refs[15 - i];
		request.list[16 + i] = a.domid;
	}
	expect(unmap(&b, mapped), 0);

	expect(agent_ask(&b, &request), 0);
	mapped = b.reply.value;
	for (uint32_t i = 0; i < 16; i++)
		expect(peek(&b, mapped, i * PAGE), 16 - i);
	expect(unmap(&b, mapped), 0);

	refs[9] = 0x7fffffff;
	expect(map(&b, a.domid, 16, refs, BOTH), -EINVAL);
	expect(unshare(&a, shared), 0);
}

void copy_both_ways(void)
{
	uint32_t refs[2], shared = share(&a, &b, 2, true, refs);
	struct agent_segment segments[] = {
		/* into the first page, one that fails, the second page from the first, and back */
		{GNTCOPY_dest_gref, 3, {0, 100, 0}, {refs[0], 4093, a.domid}},
		{GNTCOPY_source_gref, 8, {0x7fffffff, 0, a.domid}, {0, 200, 0}},
		{GNTCOPY_source_gref | GNTCOPY_dest_gref,
		 3,
		 {refs[0], 4093, a.domid},
		 {refs[1], 10, a.domid}},
		{GNTCOPY_source_gref, 3, {refs[1], 10, a.domid}, {0, 4095, 0}},
	};

	for (uint32_t i = 0; i < 3; i++)
		expect(poke(&b, AGENT_OWN, 100 + i, 61 + i), 0);
	expect(copy(&b, segments, 4), 0);
	expect(status(&b, 0), GNTST_okay);
	expect(status(&b, 1), GNTST_bad_gntref);
	expect(status(&b, 2), GNTST_okay);
	expect(status(&b, 3), GNTST_okay);
	for (uint32_t i = 0; i < 3; i++) {
		expect(peek(&a, shared, 4093 + i), 61 + i);
		expect(peek(&a, shared, PAGE + 10 + i), 61 + i);
		expect(peek(&b, AGENT_OWN, 4095 + i), 61 + i);
	}
	expect(peek(&a, shared, 4092), 0);
	expect(peek(&a, shared, PAGE + 13), 0);
	expect(unshare(&a, shared), 0);
}

void copy_refused(void)
{
	uint32_t ref, shared = share(&a, &b, 1, true, &ref);
	struct agent_segment segments[] = {
		{GNTCOPY_dest_gref, 4, {0, 0, 0}, {ref, 0, a.domid}},
		{GNTCOPY_dest_gref, 4, {0, 0, 0}, {ref, 4093, a.domid}},
	};
	struct agent_segment local = {.flags = 0, .length = 4};
	struct agent_segment nothing = {GNTCOPY_source_gref, 0, {ref, 4096, a.domid}, {0, 0, 0}};

	expect(poke(&b, AGENT_OWN, 0, 99), 0);
	expect(copy(&b, segments, 2), -EINVAL);
	segments[1].flags = GNTCOPY_source_gref;
	segments[1].from.ref = ref;
	segments[1].from.domid = a.domid;
	segments[1].from.offset = 4093;
	expect(copy(&b, segments, 2), -EINVAL);
	expect(peek(&a, shared, 0), 0);
	expect(copy(&b, &local, 1), -EINVAL);
	expect(copy(&b, &nothing, 1), 0);
	expect(status(&b, 0), GNTST_okay);
	expect(unshare(&a, shared), 0);
}

void revoked(void)
{
	uint32_t ref, other, shared = share(&a, &b, 1, true, &ref), mapped;
	struct agent_segment from = {GNTCOPY_source_gref, 1, {ref, 0, a.domid}, {0, 0, 0}};

	expect(unshare(&a, shared), 0);
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	expect(copy(&b, &from, 1), 0);
	expect(status(&b, 0), GNTST_general_error);

	/* In use, it stays the user's until it is given back; nobody else gets page or number. */
	shared = share(&a, &b, 1, true, &ref);
	expect(map(&b, a.domid, 1, &ref, BOTH), 0);
	mapped = b.reply.value;
	expect(poke(&b, mapped, 0, 55), 0);
	expect(unshare(&a, shared), 0);
	shared = share(&a, &b, 1, true, &other);
	expect(other != ref, true);
	expect(poke(&a, shared, 0, 66), 0);
	expect(peek(&b, mapped, 0), 55);
	expect(unmap(&b, mapped), 0);
	expect(unshare(&a, shared), 0);
}

/* Whichever of its handles the kernel closes first. In dom0 only: from a domain whose memory it
 * translates, Xen takes a page away that the domain maps itself (guest_physmap_add_entry). */
void death_revokes(void)
{
	uint32_t ref;
	int rc = 0;

	if (a.domid)
		return;
	(void)share(&a, &a, 1, true, &ref);
	expect(map(&a, a.domid, 1, &ref, BOTH), 0);
	expect(agent_do(&a, AGENT_DIE, 0, 0, 0, 0), -EPIPE);
	agent_restart(&a);
	for (int waited = 0; waited < PATIENCE; waited += MOMENT) {
		rc = map(&a, a.domid, 1, &ref, READ);
		if (rc)
			break;
		expect(unmap(&a, a.reply.value), 0);
		usleep(MOMENT * 1000);
	}
	expect(rc, -EINVAL);
}
