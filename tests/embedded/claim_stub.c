/* claim_stub.c - for LD_PRELOAD: writes down what memory is claimed, to the file $CLAIMS, and
 * refuses it as a Xen that has not so much when $CLAIMS_REFUSED is set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int xc_domain_claim_pages(xc_interface *xch, uint32_t domid, unsigned long nr_pages)
{
	FILE *file = fopen(getenv("CLAIMS"), "ae");

	if (!file)
		abort();
	fprintf(file, "domain %u: %lu pages\n", domid, nr_pages);
	fclose(file);
	if (!getenv("CLAIMS_REFUSED"))
		return 0;
	errno = ENOMEM;
	return -1;
}
