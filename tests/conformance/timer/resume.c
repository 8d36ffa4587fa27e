/*
 * resume DOMID - let a domain go on that has suspended itself, where it is and without a word: its
 * call returns 0, as if it had been restored. Waits until it has suspended.
 */
#include <err.h>
#include <stdlib.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <xenstore.h>

#define LOOKS   600
#define LOOK_US 100000

static bool suspended(xc_interface *xc, uint32_t domid)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xc, domid, 1, &info) != 1 || info.domid != domid)
		errx(1, "domain %u: it is gone", domid);
	return info.shutdown && info.shutdown_reason == SHUTDOWN_suspend;
}

int main(int argc, char **argv)
{
	uint32_t domid = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	struct xs_handle *xs = xs_open(0);

	if (!domid || !xc || !xs)
		errx(2, "usage: resume DOMID, in dom0");
	for (int looks = 0; !suspended(xc, domid); looks++) {
		if (looks == LOOKS)
			errx(1, "domain %u: it does not suspend itself", domid);
		usleep(LOOK_US);
	}
	if (xc_domain_resume(xc, domid, 0))
		err(1, "domain %u: xc_domain_resume", domid);
	/* Or its next shutdown would be told to nobody. */
	if (!xs_resume_domain(xs, domid))
		err(1, "domain %u: xs_resume_domain", domid);
	return 0;
}
