#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "embedded/host/domain.h"
#include "embedded/host/grant.h"
#include "embedded/host/session.h"
#include "embedded/wire.h"
#include "lib/sealed.h"

static void table_init(struct domain *domain)
{
	struct shared_table *table = domain->table;

	table->magic = SHARED_MAGIC;
	table->domid = domain->domid;
	table->serial = domain->serial;
	table->frames = domain->frames;
	for (uint32_t i = 0; i < SHARED_FRAMES_RESERVED; i++)
		table->frame_owner[i] = OWNER_HOST;
	for (uint32_t i = 0; i < SHARED_REFS_RESERVED; i++)
		table->ref_owner[i] = OWNER_HOST;
	table->frame_hint = table->frame_top = SHARED_FRAMES_RESERVED;
	table->ref_hint = table->ref_top = SHARED_REFS_RESERVED;
}

int memory_create(struct domain *domain, uint32_t frames)
{
	void *table;
	int rc;

	if (frames <= SHARED_FRAMES_RESERVED || frames > SHARED_FRAMES_MAX)
		return -EINVAL;
	domain->serial = ++domain->host->serial;
	domain->frames = frames;
	rc = domain->memory_fd = sealed_memory("xsplit-memory", (size_t)frames << FRAME_SHIFT);
	if (rc < 0)
		goto out;
	rc = domain->table_fd = sealed_memory("xsplit-table", shared_table_size(frames));
	if (rc < 0)
		goto memory;
	table = mmap(NULL, shared_table_size(frames), PROT_READ | PROT_WRITE, MAP_SHARED,
		     domain->table_fd, 0);
	if (table == MAP_FAILED) {
		rc = -errno;
		goto table;
	}
	domain->table = table;
	table_init(domain);
	return 0;

table:
	close(domain->table_fd);
memory:
	close(domain->memory_fd);
out:
	return rc;
}

/* Who has the table mapped still sees it: nothing there may look granted any more. */
void memory_destroy(struct domain *domain)
{
	grant_domain_gone(domain);
	domain->table->domid = DOMID_INVALID;
	for (uint32_t ref = 0; ref < SHARED_REFS; ref++)
		__atomic_and_fetch(&domain->table->grants[ref].flags, (uint16_t)~GTF_type_mask,
				   __ATOMIC_SEQ_CST);
	munmap(domain->table, shared_table_size(domain->frames));
	close(domain->table_fd);
	close(domain->memory_fd);
}

static int run_open(struct session *session, const void *request, void *reply,
		    struct session_fds *fds)
{
	const struct wire_domain_open *open = request;
	struct wire_domain_opened *opened = reply;
	struct domain *domain = domain_resolve(session->domain, open->domid);

	if (!domain)
		return -ESRCH;
	opened->domid = domain->domid;
	opened->serial = domain->serial;
	opened->frames = domain->frames;
	fds->out[0] = domain->table_fd;
	fds->out[1] = domain->memory_fd;
	fds->out_count = 2;
	return 0;
}

const struct operation memory_operations[] = {
	OPERATION(WIRE_DOMAIN_OPEN, struct wire_domain_open, struct wire_domain_opened, false,
		  run_open),
	{0},
};
