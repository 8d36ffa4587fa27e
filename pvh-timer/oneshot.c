#include "pvh-timer/oneshot.h"

#include "pvh-timer/hypercall.h"

#define FAR_NS (UINT64_C(1) << 50)
/* Xen's times are signed: what is later than this has gone already, and fires over and over. */
#define NEVER  ((uint64_t)INT64_MAX)

static struct pvh_host *host_of(const struct oneshot *timer)
{
	return timer->evtchn->host;
}

static int arm_vcpuop(struct oneshot *timer, uint64_t deadline)
{
	struct vcpu_set_singleshot_timer set = {.timeout_abs_ns = deadline, .flags = 0};

	return hypercall_vcpu(host_of(timer), VCPUOP_set_singleshot_timer, timer->vcpu, &set);
}

/* Old Xens refuse a moment that has gone (-ETIME): then now is the moment. Further ahead than
 * FAR_NS, Xen takes set_timer_op's for that of a guest that waits for nothing, and fires in 100 ms.
 */
static int arm(struct oneshot *timer, uint64_t deadline, uint64_t now)
{
	bool far = deadline > now && deadline - now >= FAR_NS;
	int rc;

	if (deadline > NEVER)
		deadline = NEVER;
	if (timer->way == ONESHOT_SET_TIMER || (timer->way == ONESHOT_BOTH && !far)) {
		rc = hypercall_set_timer(host_of(timer), deadline);
		if (!rc || timer->way == ONESHOT_SET_TIMER)
			return rc;
		timer->way = ONESHOT_VCPUOP;
	}
	rc = arm_vcpuop(timer, deadline);
	return rc == -ETIME ? arm_vcpuop(timer, now + 1) : rc;
}

static bool expired(void *arg)
{
	struct oneshot *timer = arg;
	struct anomalies *anomalies = timer->evtchn->anomalies;
	uint64_t now;

	if (!timer->deadline) {
		anomaly_note(anomalies, ANOMALY_TIMER_STRAY);
		return true;
	}
	now = timer->now(timer->arg);
	if (now < timer->deadline) {
		/* Xen's clock is ahead of what this vcpu reads, or it would not have fired: the
		 * same deadline again would fire at once, over and over. */
		anomaly_note(anomalies, ANOMALY_TIMER_EARLY);
		arm(timer, timer->deadline + (timer->deadline - now), now);
		return true;
	}
	anomaly_late(anomalies, now - timer->deadline);
	timer->deadline = 0;
	timer->fired(timer->arg);
	return true;
}

/* What it says tells whether there are vcpu operations at all. */
static void periodic_stop(struct oneshot *timer)
{
	int rc = hypercall_vcpu(host_of(timer), VCPUOP_stop_periodic_timer, timer->vcpu, NULL);

	timer->way = rc ? ONESHOT_SET_TIMER : ONESHOT_BOTH;
}

int oneshot_start(struct oneshot *timer)
{
	int rc;

	timer->deadline = 0;
	timer->channel = (struct evtchn_channel){
		.handler = expired, .arg = timer, .priority = EVTCHN_FIFO_PRIORITY_MAX};
	rc = evtchn_bind_virq(timer->evtchn, &timer->channel, VIRQ_TIMER, timer->vcpu);
	if (rc)
		timer->way = ONESHOT_NONE;
	else
		periodic_stop(timer);
	return rc;
}

/* If the timer that was set before fires meanwhile, its handler may have set another: the last to
 * reach Xen has to be that one. */
static int arm_last(struct oneshot *timer, uint64_t deadline, uint64_t now)
{
	uint64_t armed;
	int rc;

	do {
		armed = deadline;
		rc = arm(timer, armed, now);
		deadline = __atomic_load_n(&timer->deadline, __ATOMIC_RELAXED);
	} while (!rc && deadline && deadline != armed);
	if (rc)
		timer->deadline = 0;
	return rc;
}

int oneshot_set(struct oneshot *timer, uint64_t deadline)
{
	uint64_t now;

	if (timer->way == ONESHOT_NONE)
		return -ENODEV;
	if (!deadline)
		return -EINVAL;
	if (host_of(timer)->ops->vcpu(host_of(timer)) != timer->vcpu)
		return -EXDEV;
	if (deadline > NEVER)
		deadline = NEVER;
	now = timer->now(timer->arg);
	if (deadline <= now)
		anomaly_note(timer->evtchn->anomalies, ANOMALY_TIMER_PAST);
	__atomic_store_n(&timer->deadline, deadline, __ATOMIC_RELAXED);
	return arm_last(timer, deadline, now);
}

int oneshot_cancel(struct oneshot *timer)
{
	if (timer->way == ONESHOT_NONE)
		return -ENODEV;
	if (host_of(timer)->ops->vcpu(host_of(timer)) != timer->vcpu)
		return -EXDEV;
	timer->deadline = 0;
	if (timer->way == ONESHOT_VCPUOP)
		return hypercall_vcpu(host_of(timer), VCPUOP_stop_singleshot_timer, timer->vcpu,
				      NULL);
	return hypercall_set_timer(host_of(timer), 0);
}

int oneshot_resume(struct oneshot *timer)
{
	int rc;

	if (timer->way == ONESHOT_NONE)
		return 0;
	periodic_stop(timer);
	if (!timer->deadline)
		return 0;
	rc = arm(timer, timer->deadline, timer->now(timer->arg));
	if (rc)
		timer->deadline = 0;
	return rc;
}

void oneshot_stop(struct oneshot *timer)
{
	if (timer->way == ONESHOT_NONE)
		return;
	oneshot_cancel(timer);
	evtchn_close(timer->evtchn, &timer->channel);
	timer->way = ONESHOT_NONE;
}
