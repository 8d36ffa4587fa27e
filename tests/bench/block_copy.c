/*
 * block-copy - what it costs to get at a guest's pages, in microseconds a request, for requests of
 * 1 to 256 pages: copied by the hypervisor; mapped, looked at and unmapped; or copied by us from
 * pages that stay mapped, as persistent grants are.
 *
 * It grants the pages to its own domain (dom0 of a real Xen, with xen-gntalloc), which costs the
 * hypervisor the same. What the guest pays is not in it: with persistent grants it copies every
 * byte, too.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xengnttab.h>

#define PAGE    4096u
#define PAGES   256u
#define SECONDS 0.5

struct bench {
	xengnttab_handle *gnttab;
	uint32_t refs[PAGES];
	uint8_t *local, *kept; /* our pages; theirs, mapped */
	xengnttab_grant_copy_segment_t segment[PAGES];
};

static void by_copy(struct bench *bench, unsigned pages)
{
	for (unsigned n = 0; n < pages; n++) {
		xengnttab_grant_copy_segment_t *segment = &bench->segment[n];

		memset(segment, 0, sizeof(*segment));
		segment->flags = GNTCOPY_source_gref;
		segment->len = PAGE;
		segment->source.foreign.ref = bench->refs[n];
		segment->dest.virt = bench->local + (size_t)n * PAGE;
	}
	if (xengnttab_grant_copy(bench->gnttab, pages, bench->segment))
		err(1, "xengnttab_grant_copy");
	for (unsigned n = 0; n < pages; n++)
		if (bench->segment[n].status != GNTST_okay)
			errx(1, "grant %u: status %d", bench->refs[n], bench->segment[n].status);
}

static void by_map(struct bench *bench, unsigned pages)
{
	volatile uint8_t *mapped = xengnttab_map_domain_grant_refs(
		bench->gnttab, pages, 0, bench->refs, PROT_READ | PROT_WRITE);

	if (!mapped)
		err(1, "xengnttab_map_domain_grant_refs");
	for (unsigned n = 0; n < pages; n++)
		(void)mapped[(size_t)n * PAGE];
	if (xengnttab_unmap(bench->gnttab, (void *)mapped, pages))
		err(1, "xengnttab_unmap");
}

static void by_kept(struct bench *bench, unsigned pages)
{
	memcpy(bench->local, bench->kept, (size_t)pages * PAGE);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double measure(struct bench *bench, void (*way)(struct bench *, unsigned), unsigned pages)
{
	double begin = now(), end;
	unsigned rounds = 0;

	do {
		way(bench, pages);
		rounds++;
		end = now();
	} while (end - begin < SECONDS);
	return (end - begin) / rounds * 1e6;
}

int main(void)
{
	static const unsigned sizes[] = {1, 11, 32, 256};
	xengntshr_handle *gntshr = xengntshr_open(NULL, 0);
	struct bench *bench = calloc(1, sizeof(*bench));
	uint8_t *shared;

	if (!bench || !gntshr)
		err(1, "xengntshr_open");
	bench->gnttab = xengnttab_open(NULL, 0);
	bench->local = aligned_alloc(PAGE, (size_t)PAGES * PAGE);
	shared = xengntshr_share_pages(gntshr, 0, PAGES, bench->refs, 1);
	if (!bench->gnttab || !bench->local || !shared)
		err(1, "xengnttab_open, xengntshr_share_pages");
	memset(shared, 1, (size_t)PAGES * PAGE);
	memset(bench->local, 0, (size_t)PAGES * PAGE);
	bench->kept = xengnttab_map_domain_grant_refs(bench->gnttab, PAGES, 0, bench->refs,
						      PROT_READ | PROT_WRITE);
	if (!bench->kept)
		err(1, "xengnttab_map_domain_grant_refs");
	printf("%6s %12s %12s %12s  us a request\n", "pages", "copied", "mapped", "kept mapped");
	for (unsigned n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
		printf("%6u %12.1f %12.1f %12.1f\n", sizes[n], measure(bench, by_copy, sizes[n]),
		       measure(bench, by_map, sizes[n]), measure(bench, by_kept, sizes[n]));
	return 0;
}
