#include "pvh-timer/hypercall.h"
#include "pvh-timer/pvh.h"

static uint32_t incarnation(struct pvh *pvh)
{
	struct cpuid_time time;

	return cpuid_time_read(pvh->host, &pvh->xen, &time) ? 0 : time.incarnation;
}

static uint64_t wall(struct pvh *pvh)
{
	return wallclock_read(pvh->host, pvh->evtchn.shared, clock_xen(&pvh->clock));
}

static void error_note(struct suspend_report *report, int rc)
{
	if (!rc)
		return;
	report->errors++;
	if (!report->rc)
		report->rc = rc;
}

/* The toolstack of the new host made them; old numbers mean nothing. */
static int port_readopt(struct pvh *pvh, struct evtchn_channel *channel, uint32_t param)
{
	uint64_t port;
	int rc;

	if (!channel)
		return 0;
	rc = hypercall_param_get(pvh->host, param, &port);
	if (!rc)
		rc = evtchn_adopt(&pvh->evtchn, channel, (uint32_t)port);
	return rc;
}

static void interrupt_resume(struct pvh *pvh, struct suspend_report *report)
{
	enum upcall_route route = pvh->upcall.route;
	int rc;

	upcall_forget(&pvh->upcall);
	pvh->upcall.apic_virtual = upgrade_apic_virtual(pvh);
	rc = upcall_set(&pvh->upcall, pvh->features, route);
	/* Another host may lack what the last one had. */
	if (rc)
		rc = upcall_choose(&pvh->upcall, pvh->features, pvh->routes ? pvh->routes : ~0u);
	error_note(report, rc);
}

struct timer_resumption {
	struct oneshot *timer;
	int rc;
};

static void timer_resume(void *arg)
{
	struct timer_resumption *resumption = arg;

	resumption->rc = oneshot_resume(resumption->timer);
}

static void timers_resume(struct pvh *pvh, struct suspend_report *report)
{
	for (unsigned vcpu = 0; vcpu < pvh->vcpus; vcpu++) {
		struct timer_resumption resumption = {.timer = &pvh->timer[vcpu]};

		if (pvh->timer[vcpu].way == ONESHOT_NONE)
			continue;
		error_note(report,
			   pvh->host->ops->vcpu_run(pvh->host, vcpu, timer_resume, &resumption));
		error_note(report, resumption.rc);
	}
}

/* Deadlines are in the old host's time: moved by as much as the clock was. */
static void deadlines_move(struct pvh *pvh, uint64_t before)
{
	uint64_t now = clock_xen(&pvh->clock);

	for (unsigned vcpu = 0; vcpu < pvh->vcpus; vcpu++) {
		uint64_t *deadline = &pvh->timer[vcpu].deadline;

		if (*deadline)
			*deadline = *deadline > before ? now + (*deadline - before) : now;
	}
}

/* In a domain that was made anew, Xen has none of our areas and ports, and the 2-level ABI: what
 * comes meanwhile waits until evtchn_rebind. */
static void infos_make_anew(struct pvh *pvh, struct suspend_report *report)
{
	pvh->evtchn.abi = NULL;
	for (unsigned vcpu = 0; vcpu < pvh->vcpus; vcpu++)
		pvh->evtchn.vcpu[vcpu].info = NULL;
	error_note(report, upgrade_infos_register(pvh));
}

static void state_make_anew(struct pvh *pvh, struct suspend_report *report, uint64_t xen_before)
{
	struct unplug unplug;

	for (unsigned vcpu = 0; vcpu < pvh->vcpus; vcpu++)
		runstate_resume(&pvh->runstate[vcpu]);
	error_note(report, cpuid_find(pvh->host, &pvh->xen));
	pvh->features = hypercall_features(pvh->host);
	error_note(report, upgrade_shared_map(pvh));
	report->in_place = evtchn_bound(&pvh->evtchn);
	if (!report->in_place)
		infos_make_anew(pvh, report);
	pvh->evtchn.fifo_refused = pvh->two_level;
	clock_resume(&pvh->clock, &pvh->xen, report->clock_before);
	deadlines_move(pvh, xen_before);
	/* Resumed in place without being told so, the domain still has ports and control blocks,
	 * and Xen takes no second ones. */
	error_note(report,
		   report->in_place ? evtchn_reset(&pvh->evtchn) : evtchn_rebind(&pvh->evtchn));
	interrupt_resume(pvh, report);
	upgrade_areas(pvh);
	if (pvh->unplug && pvh->unplugged.devices)
		error_note(report, unplug_devices(pvh->host, UNPLUG_PRODUCT_EXPERIMENTAL,
						  pvh->build, pvh->unplug, &unplug));
	error_note(report, port_readopt(pvh, pvh->store, HVM_PARAM_STORE_EVTCHN));
	error_note(report, port_readopt(pvh, pvh->console, HVM_PARAM_CONSOLE_EVTCHN));
	timers_resume(pvh, report);
}

int suspend(struct pvh *pvh, struct suspend_report *report)
{
	struct sched_shutdown shutdown = {.reason = SHUTDOWN_suspend};
	uint64_t xen_before;
	int rc;

	*report = (struct suspend_report){.incarnation_before = incarnation(pvh),
					  .clock_before = clock_read(&pvh->clock),
					  .wall_before = wall(pvh)};
	xen_before = clock_xen(&pvh->clock);
	for (unsigned vcpu = 0; vcpu < pvh->vcpus; vcpu++)
		runstate_note(&pvh->runstate[vcpu], pvh->host);
	rc = hypercall_sched(pvh->host, SCHEDOP_shutdown, &shutdown);
	if (rc < 0)
		return rc;
	report->cancelled = rc;
	if (!report->cancelled)
		state_make_anew(pvh, report, xen_before);
	report->incarnation = incarnation(pvh);
	report->clock_after = clock_read(&pvh->clock);
	report->wall_after = wall(pvh);
	report->wrong = suspend_check(pvh);
	return 0;
}

unsigned suspend_check(struct pvh *pvh)
{
	unsigned wrong = evtchn_check(&pvh->evtchn);
	uint64_t via;

	if (hypercall_param_get(pvh->host, HVM_PARAM_CALLBACK_IRQ, &via) ||
	    (via != 0) != pvh->upcall.told)
		wrong++;
	if (pvh->upcall.route == UPCALL_VCPU && pvh->upcall.vcpu_vectors != pvh->vcpus)
		wrong++;
	if (pvh->evtchn.vcpu[0].info && clock_xen(&pvh->clock) == 0)
		wrong++;
	return wrong;
}
