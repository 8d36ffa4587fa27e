/* The hypercalls of the scripted hypervisor. */
#include <sched.h>
#include <string.h>

#include "pvh-timer/atomic.h"
#include "tests/unit/pvh_xen.h"

static int port_find(struct xen *xen, uint32_t *port)
{
	for (*port = xen->first_port; *port < XEN_PORTS; ++*port) {
		if (xen->port[*port].kind == XEN_FREE)
			return 0;
	}
	return -ENOSPC;
}

/* As evtchn_fifo_init of event_fifo.c: what queue the number was in last is not forgotten. */
static void port_open(struct xen *xen, uint32_t number, struct xen_port port)
{
	port.priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	port.last_vcpu = xen->port[number].last_vcpu;
	port.last_priority = xen->port[number].last_priority;
	xen->port[number] = port;
}

static int bind_virq(struct xen *xen, struct evtchn_bind_virq *bind)
{
	int rc = port_find(xen, &bind->port);

	for (uint32_t port = 0; port < XEN_PORTS; port++) {
		if (xen->port[port].kind == XEN_VIRQ && xen->port[port].virq == bind->virq &&
		    xen->port[port].vcpu == bind->vcpu)
			return -EEXIST;
	}
	if (!rc)
		port_open(xen, bind->port,
			  (struct xen_port){
				  .kind = XEN_VIRQ, .vcpu = bind->vcpu, .virq = bind->virq});
	return rc;
}

static int bind_ipi(struct xen *xen, struct evtchn_bind_ipi *bind)
{
	int rc = port_find(xen, &bind->port);

	if (!rc)
		port_open(xen, bind->port, (struct xen_port){.kind = XEN_IPI, .vcpu = bind->vcpu});
	return rc;
}

static int bind_unbound(struct xen *xen, struct evtchn_alloc_unbound *bind)
{
	int rc = port_find(xen, &bind->port);

	if (!rc)
		port_open(xen, bind->port,
			  (struct xen_port){.kind = XEN_UNBOUND, .remote = bind->remote_dom});
	return rc;
}

static int bind_interdomain(struct xen *xen, struct evtchn_bind_interdomain *bind)
{
	int rc = port_find(xen, &bind->local_port);

	if (rc)
		return rc;
	port_open(xen, bind->local_port,
		  (struct xen_port){.kind = XEN_INTERDOMAIN,
				    .remote = bind->remote_dom,
				    .remote_port = bind->remote_port});
	xen_event(xen, bind->local_port);
	return 0;
}

static int status(struct xen *xen, struct evtchn_status *status)
{
	static const uint32_t words[] = {EVTCHNSTAT_closed, EVTCHNSTAT_unbound,
					 EVTCHNSTAT_interdomain, EVTCHNSTAT_virq, EVTCHNSTAT_ipi};
	struct xen_port *port = &xen->port[status->port];

	if (status->port >= XEN_PORTS)
		return -EINVAL;
	status->status = words[port->kind];
	status->vcpu = port->vcpu;
	if (port->kind == XEN_VIRQ)
		status->u.virq = port->virq;
	if (port->kind == XEN_INTERDOMAIN) {
		status->u.interdomain.dom = port->remote;
		status->u.interdomain.port = port->remote_port;
	}
	return 0;
}

static int bind_vcpu(struct xen *xen, struct evtchn_bind_vcpu *bind)
{
	struct xen_port *port = &xen->port[bind->port];

	if (port->kind == XEN_IPI || (port->kind == XEN_VIRQ && port->virq == VIRQ_TIMER))
		return -EINVAL;
	port->vcpu = bind->vcpu;
	return 0;
}

static int unmask(struct xen *xen, uint32_t port)
{
	struct vcpu_info *info = xen->info[xen->port[port].vcpu];
	uint32_t *word;

	if (xen->fifo) {
		word = &xen->array[port / 1024][port % 1024];
		atomic_clear32(word, 1u << EVTCHN_FIFO_MASKED);
		if (atomic_read32(word) & 1u << EVTCHN_FIFO_PENDING)
			xen_event(xen, port);
	} else if (atomic_bit_clear(xen->shared->evtchn_mask, port) &&
		   atomic_bit_test(xen->shared->evtchn_pending, port) &&
		   !atomic_bit_set(&info->evtchn_pending_sel, port / 64)) {
		atomic_swap8(&info->evtchn_upcall_pending, 1);
	}
	return 0;
}

static int control_init(struct xen *xen, const struct evtchn_init_control *init)
{
	if (!xen->fifo_offered)
		return -ENOSYS;
	if (xen->control[init->vcpu])
		return -EINVAL;
	xen->fifo = true;
	xen->control[init->vcpu] = (void *)(init->control_gfn * PVH_PAGE_SIZE + init->offset);
	return 0;
}

static int array_expand(struct xen *xen, const struct evtchn_expand_array *expand)
{
	uint32_t *page = (void *)(expand->array_gfn * PVH_PAGE_SIZE);

	for (unsigned i = 0; i < 1024; i++) {
		if (page[i] != 1u << EVTCHN_FIFO_MASKED)
			return -EINVAL;
	}
	if (!xen->fifo || xen->array_pages == 4)
		return -ENOSYS;
	xen->array[xen->array_pages++] = page;
	for (uint32_t port = (xen->array_pages - 1) * 1024; port < xen->array_pages * 1024;
	     port++) {
		if (xen->port[port].kind != XEN_FREE && xen->port[port].pending)
			xen_event(xen, port);
	}
	return 0;
}

static int reset(struct xen *xen)
{
	memset(xen->port, 0, sizeof(xen->port));
	memset(xen->control, 0, sizeof(xen->control));
	memset(xen->tail, 0, sizeof(xen->tail));
	xen->array_pages = 0;
	xen->fifo = false;
	return 0;
}

static int port_set_priority(struct xen *xen, const struct evtchn_set_priority *set)
{
	if (!xen->fifo)
		return -ENOSYS;
	xen->port[set->port].priority = (uint8_t)set->priority;
	return 0;
}

static int call_evtchn(struct xen *xen, unsigned long op, void *arg)
{
	switch (op) {
	case EVTCHNOP_bind_virq:
		return bind_virq(xen, arg);
	case EVTCHNOP_bind_ipi:
		return bind_ipi(xen, arg);
	case EVTCHNOP_alloc_unbound:
		return bind_unbound(xen, arg);
	case EVTCHNOP_bind_interdomain:
		return bind_interdomain(xen, arg);
	case EVTCHNOP_status:
		return status(xen, arg);
	case EVTCHNOP_bind_vcpu:
		return bind_vcpu(xen, arg);
	case EVTCHNOP_send:
		xen_event(xen, ((struct evtchn_send *)arg)->port);
		return 0;
	case EVTCHNOP_unmask:
		return unmask(xen, ((struct evtchn_unmask *)arg)->port);
	case EVTCHNOP_close:
		xen->port[((struct evtchn_close *)arg)->port].kind = XEN_FREE;
		return 0;
	case EVTCHNOP_init_control:
		return control_init(xen, arg);
	case EVTCHNOP_expand_array:
		return array_expand(xen, arg);
	case EVTCHNOP_set_priority:
		return port_set_priority(xen, arg);
	case EVTCHNOP_reset:
		return reset(xen);
	default:
		return -ENOSYS;
	}
}

static int timer_set(struct xen *xen, unsigned long vcpu, uint64_t deadline)
{
	xen->deadline[vcpu] = deadline;
	/* A moment that has gone fires at once; Xen's are signed. */
	if ((int64_t)deadline <= (int64_t)xen->now)
		xen_advance(xen, 0);
	return 0;
}

static int singleshot_set(struct xen *xen, unsigned long vcpu, uint64_t deadline)
{
	if (deadline <= xen->now && xen->etime)
		return -ETIME;
	return timer_set(xen, vcpu, deadline);
}

/* As do_set_timer_op: 0 cancels, and what is very far ahead, or negative, means 100 ms. */
static int timer_op(struct xen *xen, unsigned long vcpu, uint64_t deadline)
{
	if (deadline > xen->now && (deadline - xen->now) >> 50)
		deadline = xen->now + 100000000;
	if (deadline)
		return timer_set(xen, vcpu, deadline);
	xen->deadline[vcpu] = 0;
	return 0;
}

static int info_register(struct xen *xen, unsigned long vcpu,
			 const struct vcpu_register_vcpu_info *area)
{
	struct vcpu_info *info = (void *)(area->mfn * PVH_PAGE_SIZE + area->offset);

	if (xen->info[vcpu] && vcpu >= 32)
		return -EINVAL;
	*info = (struct vcpu_info){.evtchn_upcall_pending = 1, .evtchn_pending_sel = ~0ul};
	xen->info[vcpu] = info;
	xen_times_write(xen);
	return 0;
}

static int call_vcpu(struct xen *xen, unsigned long op, unsigned long vcpu, void *arg)
{
	switch (op) {
	case VCPUOP_stop_periodic_timer:
		xen->periodic[vcpu] = false;
		return 0;
	case VCPUOP_set_singleshot_timer:
		if (vcpu != xen->host.ops->vcpu(&xen->host))
			return -EINVAL;
		return singleshot_set(xen, vcpu,
				      ((struct vcpu_set_singleshot_timer *)arg)->timeout_abs_ns);
	case VCPUOP_stop_singleshot_timer:
		xen->deadline[vcpu] = 0;
		return 0;
	case VCPUOP_register_vcpu_info:
		return info_register(xen, vcpu, arg);
	case VCPUOP_register_runstate_memory_area:
	case VCPUOP_register_runstate_phys_area:
		xen->runstate_area[vcpu] = *(void **)arg;
		xen_steal(xen, (unsigned)vcpu, 0);
		return 0;
	case VCPUOP_register_vcpu_time_memory_area:
	case VCPUOP_register_vcpu_time_phys_area:
		xen->time_area[vcpu] = *(void **)arg;
		xen_times_write(xen);
		return 0;
	default:
		return -ENOSYS;
	}
}

static int call_hvm(struct xen *xen, unsigned long op, void *arg)
{
	struct xen_hvm_evtchn_upcall_vector *upcall = arg;
	struct xen_hvm_param *param = arg;

	switch (op) {
	case HVMOP_set_evtchn_upcall_vector:
		if (upcall->vector < 0x10)
			return -EINVAL;
		xen->upcall_vector[upcall->vcpu] = upcall->vector;
		/* As Xen does, whether anything is pending or not. */
		xen->interrupt[upcall->vcpu] = true;
		xen_interrupt(xen, upcall->vcpu);
		return 0;
	case HVMOP_get_param:
		param->value = param->index ? xen->param[param->index] : xen->via;
		return 0;
	case HVMOP_set_param:
		if (param->index == HVM_PARAM_CALLBACK_IRQ)
			xen->via = param->value;
		else
			xen->param[param->index] = param->value;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int call_map(struct xen *xen, const struct xen_add_to_physmap *map)
{
	if (map->space != XENMAPSPACE_shared_info)
		return -EINVAL;
	/* The page is the domain's, wherever it is seen. */
	if (xen->shared == (void *)(map->gpfn * PVH_PAGE_SIZE))
		return 0;
	xen->shared = (void *)(map->gpfn * PVH_PAGE_SIZE);
	memset(xen->shared, 0, PVH_PAGE_SIZE);
	for (unsigned vcpu = 0; vcpu < XEN_LEGACY_MAX_VCPUS; vcpu++)
		xen->info[vcpu] = &xen->shared->vcpu_info[vcpu];
	xen_times_write(xen);
	return 0;
}

static long call_sched(struct xen *xen, unsigned long op)
{
	if (op != SCHEDOP_shutdown)
		return -ENOSYS;
	if (!xen->suspend_result && xen->suspended)
		xen->suspended(xen);
	return xen->suspend_result;
}

static bool refused(struct xen *xen, unsigned number, unsigned long op, long *rc)
{
	for (unsigned i = 0; i < 4; i++) {
		struct xen_refusal *refusal = &xen->refusal[i];

		if (!refusal->times || refusal->number != number || refusal->op != op)
			continue;
		if (refusal->skip) {
			refusal->skip--;
			continue;
		}
		refusal->times--;
		*rc = refusal->rc;
		return true;
	}
	return false;
}

static long call(struct xen *xen, unsigned number, unsigned long a, unsigned long b,
		 unsigned long c)
{
	struct xen_feature_info *info = (void *)b;
	long rc;

	if (refused(xen, number, a, &rc))
		return rc;
	switch (number) {
	case __HYPERVISOR_event_channel_op:
		return call_evtchn(xen, a, (void *)b);
	case __HYPERVISOR_vcpu_op:
		return call_vcpu(xen, a, b, (void *)c);
	case __HYPERVISOR_hvm_op:
		return call_hvm(xen, a, (void *)b);
	case __HYPERVISOR_memory_op:
		return call_map(xen, (void *)b);
	case __HYPERVISOR_xen_version:
		info->submap = xen->features;
		return 0;
	case __HYPERVISOR_set_timer_op:
		return timer_op(xen, xen->host.ops->vcpu(&xen->host), a);
	case __HYPERVISOR_sched_op:
		return call_sched(xen, a);
	case __HYPERVISOR_vm_assist:
		return 0;
	default:
		return -ENOSYS;
	}
}

/* A test of interleavings runs others while it waits; one of threads has the lock to wait for. */
static void xen_lock(struct xen *xen)
{
	pvh_interleave();
	while (pthread_mutex_trylock(&xen->lock)) {
#ifdef PVH_INTERLEAVE
		pvh_interleave();
#else
		sched_yield();
#endif
	}
}

void xen_send(struct xen *xen, uint32_t port)
{
	xen_lock(xen);
	xen_event(xen, port);
	pthread_mutex_unlock(&xen->lock);
}

long xen_call(struct pvh_host *host, unsigned number, unsigned long a, unsigned long b,
	      unsigned long c, unsigned long d, unsigned long e)
{
	struct xen *xen = (struct xen *)host;
	long rc;

	xen_lock(xen);
	xen->calls++;
	rc = call(xen, number, a, b, c);
	pthread_mutex_unlock(&xen->lock);
	return rc;
}
