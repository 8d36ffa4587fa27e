#include "tests/unit/pvh_events.h"

#include <string.h>

#include "tests/unit/check.h"

struct world world;

void world_make(int fifo)
{
	static struct shared_info *shared;
	uint64_t gfn;

	memset(&world, 0, sizeof(world));
	world.xen = xen_new();
	world.xen->fifo_offered = fifo;
	shared = world.xen->host.ops->frame_unpopulated(&world.xen->host, 0, &gfn);
	memset(shared, 0, PVH_PAGE_SIZE);
	world.xen->shared = shared;
	world.evtchn.host = &world.xen->host;
	world.evtchn.anomalies = &world.anomalies;
	world.evtchn.shared = shared;
	world.evtchn.vcpus = VCPUS;
	for (unsigned vcpu = 0; vcpu < VCPUS; vcpu++) {
		world.xen->info[vcpu] = &shared->vcpu_info[vcpu];
		world.evtchn.vcpu[vcpu].info = &shared->vcpu_info[vcpu];
	}
	ck_assert_int_eq(evtchn_start(&world.evtchn), 0);
	ck_assert_str_eq(world.evtchn.abi->name, fifo ? "FIFO" : "2-level");
}

unsigned dispatch(unsigned vcpu)
{
	world.xen->vcpu = vcpu;
	return evtchn_waiting(&world.evtchn, vcpu) ? evtchn_dispatch(&world.evtchn, vcpu) : 0;
}

unsigned order[64], ordered;

bool owner_handler(void *arg)
{
	struct owner *owner = arg;

	owner->count++;
	if (ordered < 64)
		order[ordered++] = owner->channel.port;
	if (owner->again) {
		owner->again--;
		xen_event(world.xen, owner->channel.port);
	}
	return !owner->useless;
}

void owner_bind(struct owner *owner, unsigned vcpu)
{
	memset(owner, 0, sizeof(*owner));
	owner->channel =
		(struct evtchn_channel){.handler = owner_handler, .arg = owner, .priority = 7};
	ck_assert_int_eq(evtchn_bind_ipi(&world.evtchn, &owner->channel, vcpu), 0);
}

void owner_interdomain(struct owner *owner)
{
	memset(owner, 0, sizeof(*owner));
	owner->channel =
		(struct evtchn_channel){.handler = owner_handler, .arg = owner, .priority = 7};
	ck_assert_int_eq(evtchn_bind_interdomain(&world.evtchn, &owner->channel, 3, 17), 0);
	dispatch(0);
	ck_assert_msg(owner->count == 1, "a new interdomain port is pending");
	owner->count = 0;
}
