#include "pvh-timer/hypercall.h"
#include "pvh-timer/pvh.h"

#define SLOT_SHARED 0u
#define PER_PAGE    64u /* vcpu_info, and runstate areas, 64 bytes each */

const char *upgrade_part_name(enum upgrade_part part)
{
	static const char *const names[UPGRADE_PARTS] = {
		[UPGRADE_XEN] = "xen",
		[UPGRADE_SHARED] = "shared-info",
		[UPGRADE_VCPU_INFO] = "vcpu-info",
		[UPGRADE_EVENTS] = "events",
		[UPGRADE_INTERRUPT] = "interrupt",
		[UPGRADE_TOOLSTACK] = "toolstack",
		[UPGRADE_RUNSTATE] = "runstate",
		[UPGRADE_TIME_AREA] = "time-area",
		[UPGRADE_CLOCK] = "clock",
		[UPGRADE_TIMER] = "timer",
		[UPGRADE_UNPLUG] = "unplug",
	};

	return names[part];
}

const char *upgrade_outcome_name(enum upgrade_outcome outcome)
{
	static const char *const names[] = {
		[UPGRADE_LEFT] = "left",
		[UPGRADE_SWITCHED] = "switched",
		[UPGRADE_FELL_BACK] = "fell-back",
		[UPGRADE_FAILED] = "failed",
	};

	return names[outcome];
}

static void note(struct pvh *pvh, enum upgrade_part part, enum upgrade_outcome outcome,
		 const char *what, int rc)
{
	pvh->step[part] = (struct upgrade_step){outcome, what, rc};
}

static void note_rc(struct pvh *pvh, enum upgrade_part part, const char *what, int rc)
{
	note(pvh, part, rc ? UPGRADE_FAILED : UPGRADE_SWITCHED, what, rc);
}

int upgrade_shared_map(struct pvh *pvh)
{
	uint64_t gfn;
	void *page = pvh->host->ops->frame_unpopulated(pvh->host, SLOT_SHARED, &gfn);
	int rc;

	if (!page)
		return -ENOMEM;
	rc = hypercall_map(pvh->host, XENMAPSPACE_shared_info, 0, gfn);
	if (!rc)
		pvh->evtchn.shared = page;
	return rc;
}

static struct vcpu_info *info_area(struct pvh *pvh, unsigned vcpu)
{
	struct vcpu_info **page = &pvh->info_page[vcpu / PER_PAGE];

	if (!*page)
		*page = pvh->host->ops->page_allocate(pvh->host);
	return *page ? &(*page)[vcpu % PER_PAGE] : NULL;
}

struct info_call {
	struct pvh *pvh;
	int rc;
};

/* On the vcpu itself, as Xen wants it, and with interrupts off: Xen marks the new area pending, and
 * a handler that looked at the old one would never be called again. */
static void info_register(void *arg)
{
	struct info_call *call = arg;
	struct pvh *pvh = call->pvh;
	unsigned vcpu = pvh->host->ops->vcpu(pvh->host);
	struct vcpu_info *info = info_area(pvh, vcpu);
	struct vcpu_register_vcpu_info area;
	uint64_t address;

	call->rc = -ENOMEM;
	if (!info)
		return;
	address = pvh->host->ops->physical(pvh->host, info);
	area = (struct vcpu_register_vcpu_info){.mfn = address / PVH_PAGE_SIZE,
						.offset = address % PVH_PAGE_SIZE};
	call->rc = hypercall_vcpu(pvh->host, VCPUOP_register_vcpu_info, vcpu, &area);
	if (call->rc)
		return;
	pvh->evtchn.vcpu[vcpu].info = info;
	evtchn_dispatch(&pvh->evtchn, vcpu);
}

/* Registered once, an area is for good, even over kexec: the shared page's slots are used where
 * there are some. */
int upgrade_infos_register(struct pvh *pvh)
{
	struct info_call call = {pvh, 0};
	int rc = 0;

	for (unsigned vcpu = 0; !rc && vcpu < pvh->vcpus; vcpu++) {
		bool slot = vcpu < XEN_LEGACY_MAX_VCPUS;

		/* A vcpu that has an area of its own keeps it until the domain is restored. */
		if (slot && !pvh->evtchn.vcpu[vcpu].info)
			pvh->evtchn.vcpu[vcpu].info = &pvh->evtchn.shared->vcpu_info[vcpu];
		if (!pvh->register_vcpu_info && slot)
			continue;
		rc = pvh->host->ops->vcpu_run(pvh->host, vcpu, info_register, &call);
		rc = rc ? rc : slot ? 0 : call.rc;
	}
	return rc;
}

static int events_start(struct pvh *pvh)
{
	int rc;

	pvh->evtchn.host = pvh->host;
	pvh->evtchn.anomalies = &pvh->anomalies;
	pvh->evtchn.vcpus = pvh->vcpus;
	pvh->evtchn.fifo_refused = pvh->two_level;
	rc = evtchn_start(&pvh->evtchn);
	if (rc)
		note(pvh, UPGRADE_EVENTS, UPGRADE_FAILED, "no ABI", rc);
	else
		note(pvh, UPGRADE_EVENTS,
		     pvh->evtchn.abi == &evtchn_abi_fifo ? UPGRADE_SWITCHED : UPGRADE_FELL_BACK,
		     pvh->evtchn.abi->name, 0);
	return rc;
}

bool upgrade_apic_virtual(struct pvh *pvh)
{
	struct cpuid_hvm hvm;

	return !cpuid_hvm_read(pvh->host, &pvh->xen, &hvm) &&
	       (hvm.apic_virtual || hvm.x2apic_virtual);
}

static void interrupt_choose(struct pvh *pvh)
{
	unsigned allowed = pvh->routes ? pvh->routes : ~0u;
	bool apic_virtual = upgrade_apic_virtual(pvh);
	enum upcall_route best = apic_virtual ? UPCALL_VCPU : UPCALL_VECTOR;
	int rc;

	pvh->upcall = (struct upcall){.evtchn = &pvh->evtchn,
				      .vector = pvh->vector,
				      .line = pvh->line,
				      .pci_present = pvh->pci_present,
				      .apic_virtual = apic_virtual};
	rc = upcall_choose(&pvh->upcall, pvh->features, allowed);
	note(pvh, UPGRADE_INTERRUPT,
	     pvh->upcall.route == best && !rc ? UPGRADE_SWITCHED : UPGRADE_FELL_BACK,
	     upcall_types[pvh->upcall.route].name, rc);
	note(pvh, UPGRADE_TOOLSTACK, pvh->upcall.told ? UPGRADE_SWITCHED : UPGRADE_FAILED,
	     pvh->upcall.told ? "told" : "takes us for one without PV drivers", 0);
}

static int runstate_area(struct pvh *pvh, unsigned vcpu)
{
	uint8_t **page = &pvh->runstate_page[vcpu / PER_PAGE];

	if (!*page)
		*page = pvh->host->ops->page_allocate(pvh->host);
	if (!*page)
		return -ENOMEM;
	pvh->runstate[vcpu].area =
		(struct vcpu_runstate_info *)(void *)(*page + (size_t)(vcpu % PER_PAGE) * 64);
	return runstate_register(&pvh->runstate[vcpu], pvh->host, pvh->features, vcpu);
}

static void note_area(struct pvh *pvh, enum upgrade_part part, enum area_way way, int rc)
{
	static const char *const names[] = {
		[AREA_NONE] = "none", [AREA_PHYSICAL] = "physical", [AREA_LINEAR] = "linear"};

	note(pvh, part,
	     rc                     ? UPGRADE_FAILED
	     : way == AREA_PHYSICAL ? UPGRADE_SWITCHED
				    : UPGRADE_FELL_BACK,
	     names[way], rc);
}

void upgrade_areas(struct pvh *pvh)
{
	int rc = 0;

	/* Readers manage without the mark, so its absence is no failure. */
	runstate_update_flag(pvh->host);
	for (unsigned vcpu = 0; !rc && vcpu < pvh->vcpus; vcpu++)
		rc = runstate_area(pvh, vcpu);
	note_area(pvh, UPGRADE_RUNSTATE, pvh->runstate[0].way, rc);

	if (!pvh->time_page)
		pvh->time_page = pvh->host->ops->page_allocate(pvh->host);
	rc = pvh->time_page ? 0 : -ENOMEM;
	for (unsigned vcpu = 0; !rc && vcpu < pvh->vcpus; vcpu++)
		rc = pvclock_area_register(pvh->host, pvh->features, vcpu, pvh->time_page,
					   &pvh->time_way);
	note_area(pvh, UPGRADE_TIME_AREA, rc ? AREA_NONE : pvh->time_way, rc);
}

static void clock_start(struct pvh *pvh)
{
	pvh->clock.host = pvh->host;
	pvh->clock.evtchn = &pvh->evtchn;
	pvh->clock.anomalies = &pvh->anomalies;
	clock_choose(&pvh->clock, &pvh->xen);
	note(pvh, UPGRADE_CLOCK,
	     pvh->clock.source == CLOCK_HOST ? UPGRADE_FAILED : UPGRADE_SWITCHED, pvh->clock.why,
	     0);
}

static uint64_t timer_now(void *arg)
{
	return clock_xen(&((struct pvh_timer_arg *)arg)->pvh->clock);
}

static void timer_fired(void *arg)
{
	struct pvh_timer_arg *timer = arg;

	timer->pvh->timer_fired(timer->pvh->arg, timer->vcpu);
}

/* Where upcalls reach vcpu 0 alone, a timer of another vcpu would never be heard. */
static void timers_start(struct pvh *pvh)
{
	unsigned vcpus = upcall_types[pvh->upcall.route].every_vcpu ? pvh->vcpus : 1;
	int rc = 0;

	if (!pvh->timer_fired)
		return;
	for (unsigned vcpu = 0; !rc && vcpu < vcpus; vcpu++) {
		struct oneshot *timer = &pvh->timer[vcpu];

		pvh->timer_arg[vcpu] = (struct pvh_timer_arg){pvh, vcpu};
		*timer = (struct oneshot){.evtchn = &pvh->evtchn,
					  .vcpu = vcpu,
					  .now = timer_now,
					  .fired = timer_fired,
					  .arg = &pvh->timer_arg[vcpu]};
		rc = oneshot_start(timer);
	}
	if (rc)
		note(pvh, UPGRADE_TIMER, UPGRADE_FAILED, "VIRQ_TIMER", rc);
	else if (vcpus < pvh->vcpus)
		note(pvh, UPGRADE_TIMER, UPGRADE_FELL_BACK, "on vcpu 0 alone", 0);
	else
		note(pvh, UPGRADE_TIMER,
		     pvh->timer[0].way == ONESHOT_BOTH ? UPGRADE_SWITCHED : UPGRADE_FELL_BACK,
		     pvh->timer[0].way == ONESHOT_BOTH ? "one-shot" : "set_timer_op", 0);
}

static void devices_unplug(struct pvh *pvh)
{
	int rc;

	if (!pvh->unplug)
		return;
	rc = unplug_devices(pvh->host, UNPLUG_PRODUCT_EXPERIMENTAL, pvh->build, pvh->unplug,
			    &pvh->unplugged);
	if (rc == -ENODEV)
		note(pvh, UPGRADE_UNPLUG, UPGRADE_LEFT, "nothing is emulated", 0);
	else
		note_rc(pvh, UPGRADE_UNPLUG, rc == -EPERM ? "blacklisted" : "handshake", rc);
}

static int base_make(struct pvh *pvh)
{
	int rc = cpuid_find(pvh->host, &pvh->xen);

	note_rc(pvh, UPGRADE_XEN, rc ? "none" : "found", rc);
	if (rc)
		return rc;
	pvh->features = hypercall_features(pvh->host);
	rc = upgrade_shared_map(pvh);
	note_rc(pvh, UPGRADE_SHARED, "frame without RAM", rc);
	if (rc)
		return rc;
	rc = upgrade_infos_register(pvh);
	note_rc(pvh, UPGRADE_VCPU_INFO,
		pvh->register_vcpu_info || pvh->vcpus > XEN_LEGACY_MAX_VCPUS ? "registered"
									     : "shared page",
		rc);
	return rc;
}

int upgrade(struct pvh *pvh)
{
	int rc = base_make(pvh);

	if (!rc)
		rc = events_start(pvh);
	if (rc)
		return rc;
	interrupt_choose(pvh);
	upgrade_areas(pvh);
	clock_start(pvh);
	timers_start(pvh);
	devices_unplug(pvh);
	return 0;
}
