#include "pvh-timer/upcall.h"

#include "pvh-timer/hypercall.h"

#define VIA(type, value) ((uint64_t)(type) << 56 | (value))

const struct upcall_type upcall_types[UPCALL_ROUTES] = {
	[UPCALL_POLL] = {"poll", UPCALL_DUTY_NONE, true, false},
	[UPCALL_GSI] = {"gsi", UPCALL_DUTY_LINE, false, false},
	[UPCALL_INTX] = {"intx", UPCALL_DUTY_LINE, false, false},
	[UPCALL_VECTOR] = {"vector", UPCALL_DUTY_NONE, true, false},
	[UPCALL_VCPU] = {"vcpu-vector", UPCALL_DUTY_LAPIC, true, true},
};

static struct pvh_host *host_of(const struct upcall *upcall)
{
	return upcall->evtchn->host;
}

static int via_set(struct upcall *upcall, uint64_t via)
{
	int rc = hypercall_param_set(host_of(upcall), HVM_PARAM_CALLBACK_IRQ, via);

	upcall->told = !rc && via;
	return rc;
}

static int line_set(struct upcall *upcall, bool pci)
{
	struct pvh_line line = upcall->line;
	int rc;

	line.pci = pci;
	rc = host_of(upcall)->ops->line_open(host_of(upcall), &line, upcall->vector);
	if (rc)
		return rc;
	if (pci)
		return via_set(upcall, VIA(HVM_PARAM_CALLBACK_TYPE_PCI_INTX,
					   (uint64_t)line.bus << 16 | (uint64_t)line.devfn << 8 |
						   (line.intx & 3)));
	return via_set(upcall, VIA(HVM_PARAM_CALLBACK_TYPE_GSI, line.gsi));
}

static int vector_set(struct upcall *upcall)
{
	return via_set(upcall, VIA(HVM_PARAM_CALLBACK_TYPE_VECTOR, upcall->vector));
}

struct vector_call {
	struct upcall *upcall;
	int rc;
};

/* On the vcpu itself, with interrupts off: Xen sends an upcall at once, and the handler that takes
 * it must know already that it owes an end of interrupt. */
static void vcpu_vector_set(void *arg)
{
	struct vector_call *call = arg;
	struct upcall *upcall = call->upcall;
	unsigned vcpu = host_of(upcall)->ops->vcpu(host_of(upcall));
	struct xen_hvm_evtchn_upcall_vector set = {.vcpu = vcpu, .vector = upcall->vector};

	call->rc = hypercall_hvm(host_of(upcall), HVMOP_set_evtchn_upcall_vector, &set);
	/* Set again, those of later vcpus are still there. */
	if (!call->rc && upcall->vcpu_vectors <= vcpu)
		upcall->vcpu_vectors = vcpu + 1;
}

struct lapic_look {
	struct pvh_host *host;
	bool enabled;
};

static void lapic_look(void *arg)
{
	struct lapic_look *look = arg;

	look->enabled = look->host->ops->lapic_enabled(look->host);
}

/* Xen does not latch an upcall for a local APIC that is off. */
static int lapics_check(struct upcall *upcall)
{
	struct lapic_look look = {host_of(upcall), false};

	for (unsigned vcpu = 0; vcpu < upcall->evtchn->vcpus; vcpu++) {
		if (look.host->ops->vcpu_run(look.host, vcpu, lapic_look, &look) || !look.enabled)
			return -ENXIO;
	}
	return 0;
}

/* Of CALLBACK_IRQ the toolstack wants no more than that it is not 0: 1 is GSI 1, which vcpus with
 * their own vectors never see. It comes first: the domain's vector would be injected besides. */
static int vcpu_vectors_set(struct upcall *upcall)
{
	struct vector_call call = {upcall, 0};
	struct pvh_host *host = host_of(upcall);
	uint64_t before = 0;
	int rc = lapics_check(upcall);

	if (rc)
		return rc;
	hypercall_param_get(host, HVM_PARAM_CALLBACK_IRQ, &before);
	via_set(upcall, 1);
	for (unsigned vcpu = 0; !rc && vcpu < upcall->evtchn->vcpus; vcpu++) {
		rc = host->ops->vcpu_run(host, vcpu, vcpu_vector_set, &call);
		rc = rc ? rc : call.rc;
	}
	/* Refused a second time, they still have theirs. */
	if (upcall->vcpu_vectors == upcall->evtchn->vcpus)
		rc = 0;
	else if (rc && upcall->vcpu_vectors)
		rc = vector_set(upcall);
	else if (rc)
		via_set(upcall, before);
	return rc;
}

static void waiting_take(void *arg)
{
	struct evtchn *evtchn = arg;
	unsigned vcpu = evtchn->host->ops->vcpu(evtchn->host);

	if (evtchn_waiting(evtchn, vcpu))
		evtchn_dispatch(evtchn, vcpu);
}

static int route_set(struct upcall *upcall, uint32_t features, enum upcall_route route)
{
	switch (route) {
	case UPCALL_POLL:
		return via_set(upcall, 0);
	case UPCALL_GSI:
		return upcall->line.gsi ? line_set(upcall, false) : -EOPNOTSUPP;
	case UPCALL_INTX:
		return upcall->pci_present ? line_set(upcall, true) : -EOPNOTSUPP;
	case UPCALL_VECTOR:
		if (!(features & 1u << XENFEAT_hvm_callback_vector))
			return -EOPNOTSUPP;
		return vector_set(upcall);
	case UPCALL_VCPU:
		return vcpu_vectors_set(upcall);
	default:
		return -EINVAL;
	}
}

int upcall_set(struct upcall *upcall, uint32_t features, enum upcall_route route)
{
	struct pvh_host *host = host_of(upcall);
	int rc;

	if (upcall->vcpu_vectors && route != UPCALL_VCPU)
		return -EBUSY;
	rc = route_set(upcall, features, route);
	if (rc == -ENOSYS || rc == -ENODEV)
		rc = -EOPNOTSUPP;
	if (rc && !upcall->vcpu_vectors)
		return rc;
	/* Of the lines only one is in use; others are quiet. */
	if (route != UPCALL_GSI && route != UPCALL_INTX)
		host->ops->line_open(host, NULL, 0);
	upcall->route = route;
	for (unsigned vcpu = 0; vcpu < upcall->evtchn->vcpus; vcpu++)
		host->ops->vcpu_run(host, vcpu, waiting_take, upcall->evtchn);
	return rc;
}

int upcall_choose(struct upcall *upcall, uint32_t features, unsigned allowed)
{
	/* Own vectors owe an end of interrupt, which is an exit unless the processor takes it. */
	const enum upcall_route best[] = {
		upcall->apic_virtual ? UPCALL_VCPU : UPCALL_VECTOR,
		upcall->apic_virtual ? UPCALL_VECTOR : UPCALL_VCPU,
		UPCALL_INTX,
		UPCALL_GSI,
	};
	int rc = 0;

	for (unsigned i = 0; i < sizeof(best) / sizeof(best[0]); i++) {
		if (!(allowed & 1u << best[i]))
			continue;
		rc = upcall_set(upcall, features, best[i]);
		if (!rc || upcall->vcpu_vectors)
			return rc;
	}
	upcall_set(upcall, features, UPCALL_POLL);
	return rc;
}

void upcall_interrupt(struct upcall *upcall, unsigned vcpu, bool line)
{
	struct pvh_host *host = host_of(upcall);
	const struct upcall_type *type =
		&upcall_types[line                          ? UPCALL_GSI
			      : vcpu < upcall->vcpu_vectors ? UPCALL_VCPU
							    : UPCALL_VECTOR];

	/* An edge that comes while we dispatch must be latched: acknowledge first. A level has to
	 * go before the acknowledgement, or it comes again. */
	if (type->duty == UPCALL_DUTY_LAPIC)
		host->ops->lapic_eoi(host);
	evtchn_dispatch(upcall->evtchn, vcpu);
	if (type->edge && evtchn_waiting(upcall->evtchn, vcpu))
		host->ops->upcall_again(host, upcall->vector);
	if (type->duty == UPCALL_DUTY_LINE)
		host->ops->line_eoi(host);
}

void upcall_forget(struct upcall *upcall)
{
	upcall->vcpu_vectors = 0;
	upcall->told = false;
	upcall->route = UPCALL_POLL;
}
