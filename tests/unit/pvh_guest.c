#include "tests/unit/pvh_guest.h"

#include <string.h>

#include "tests/unit/check.h"

struct pvh pvh;
unsigned fired[XEN_VCPUS];
uint64_t again;

static void timer_fired(void *arg, unsigned vcpu)
{
	fired[vcpu]++;
	if (again)
		oneshot_set(&pvh.timer[vcpu], clock_xen(&pvh.clock) + again);
}

struct xen *guest_make(unsigned vcpus)
{
	struct xen *xen = xen_new();

	memset(&pvh, 0, sizeof(pvh));
	memset(fired, 0, sizeof(fired));
	again = 0;
	pvh.host = &xen->host;
	pvh.vcpus = vcpus;
	pvh.vector = 0xf3;
	pvh.line = (struct pvh_line){.gsi = 5, .devfn = 3 << 3, .intx = 0};
	pvh.pci_present = true;
	pvh.unplug = UNPLUG_DISKS | UNPLUG_NICS | UNPLUG_AUX_DISKS | UNPLUG_NVME;
	pvh.build = 42;
	pvh.timer_fired = timer_fired;
	return xen;
}

struct xen *guest_upgraded(unsigned vcpus)
{
	struct xen *xen = guest_make(vcpus);

	ck_assert_int_eq(upgrade(&pvh), 0);
	return xen;
}

void deliver(struct xen *xen)
{
	for (unsigned vcpu = 0; vcpu < pvh.vcpus; vcpu++) {
		xen->vcpu = vcpu;
		if (evtchn_waiting(&pvh.evtchn, vcpu))
			upcall_interrupt(&pvh.upcall, vcpu,
					 upcall_types[pvh.upcall.route].duty == UPCALL_DUTY_LINE);
	}
	xen->vcpu = 0;
}
