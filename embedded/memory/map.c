#include "embedded/memory/map.h"

#include <errno.h>
#include <sys/mman.h>
#include <xen/xen.h>

/* Xen lets a domain map its own frames, and dom0 those of any. */
static int domain_open(struct client *client, uint32_t domid, struct client_domain *domain)
{
	struct client_domain self;
	int rc;

	rc = client_domain_open(client, DOMID_SELF, &self);
	if (rc)
		return rc;
	if (self.domid && domid != self.domid && domid != DOMID_SELF)
		rc = -EPERM;
	client_domain_close(&self);
	return rc ? rc : client_domain_open(client, domid, domain);
}

static int frame_map(const struct client_domain *domain, uint64_t frame, void *address, int prot)
{
	if (frame >= domain->frames)
		return -EINVAL;
	if (mmap(address, FRAME_SIZE, prot, MAP_SHARED | MAP_FIXED, domain->memory,
		 (off_t)(frame << FRAME_SHIFT)) == MAP_FAILED)
		return -errno;
	return 0;
}

void *map_frames(struct client *client, uint32_t domid, void *address, int prot, int flags,
		 size_t count, const uint64_t *frames, int *errors)
{
	struct client_domain domain;
	char *mapping = NULL;
	int rc;

	rc = domain_open(client, domid, &domain);
	if (rc)
		goto out;
	/* The place first: one mapping, of which each frame then takes its page. */
	mapping = mmap(address, count << FRAME_SHIFT, PROT_NONE,
		       (flags & MAP_FIXED) | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	rc = mapping == MAP_FAILED ? -errno : 0;
	for (size_t i = 0; !rc && i < count; i++) {
		rc = frame_map(&domain, frames[i], mapping + (i << FRAME_SHIFT), prot);
		if (errors) {
			errors[i] = rc;
			rc = 0;
		}
	}
	if (rc && mapping != MAP_FAILED)
		munmap(mapping, count << FRAME_SHIFT);
	client_domain_close(&domain);
out:
	if (!rc)
		return mapping;
	errno = -rc;
	return NULL;
}
