/* The emulated devices, before and after they are unplugged. */
#include "frontend/kernel/ata.h"
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

static bool disk_before;

static enum verdict disk_emulated(void)
{
	if (!kernel.pvh.pci_present)
		return test_say(VERDICT_SKIP, "no platform device");
	disk_before = ata_present();
	return test_say(VERDICT_OK, disk_before ? "an IDE disk answers" : "no IDE disk");
}

static enum verdict unplugged(void)
{
	struct unplug unplug;
	int rc = unplug_devices(&kernel.host, UNPLUG_PRODUCT_EXPERIMENTAL, 1,
				UNPLUG_DISKS | UNPLUG_NICS | UNPLUG_NVME, &unplug);

	if (!kernel.pvh.pci_present) {
		CHECK(rc == -ENODEV, "without a platform device: %d", rc);
		return test_say(VERDICT_SKIP, "no platform device");
	}
	CHECK(!rc, "error %d, protocol %u", rc, unplug.version);
	return test_say(VERDICT_OK, "protocol %u, devices %x", unplug.version, unplug.devices);
}

static enum verdict disk_gone(void)
{
	if (!disk_before)
		return test_say(VERDICT_SKIP, "there was none");
	CHECK(!ata_present(), "the IDE disk still answers");
	return VERDICT_OK;
}

static enum verdict log_line(void)
{
	if (!kernel.pvh.pci_present)
		return test_say(VERDICT_SKIP, "no platform device");
	unplug_log(&kernel.host, "xsplit kernel: a line for the device model's log");
	return VERDICT_OK;
}

static const struct test tests[] = {
	{"disk-emulated", "3.0", disk_emulated},
	{"handshake", "3.3", unplugged},
	{"disk-gone", "3.3", disk_gone},
	{"log", "3.3", log_line},
};

void tests_unplug(void)
{
	test_cases("unplug", tests, sizeof(tests) / sizeof(tests[0]));
}
