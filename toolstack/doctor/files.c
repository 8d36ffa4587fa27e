/* Files that libxl, or we for it, keep of a domain, when Xen has it no longer. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "toolstack/doctor/doctor.h"
#include "toolstack/domain/userdata.h"

/* Of a domain of this very number and UUID? A restore may give both once more. */
static bool is_of_live_domain(const struct doctor *d, uint16_t domid, const uuid_t uuid)
{
	for (size_t i = 0; i < d->lives; i++)
		if (d->live[i].domid == domid && !uuid_compare(d->live[i].uuid, uuid))
			return true;
	return false;
}

static int file_remove(struct doctor *d, const struct finding *f, struct fault *fault)
{
	uint16_t domid;
	uuid_t uuid = {0};
	int rc;

	if (userdata_parse(strrchr(f->object, '/') + 1, &domid, uuid) ||
	    is_of_live_domain(d, domid, uuid))
		return fault_set(fault, -EAGAIN, "domain %d is there again", f->domid);
	if (!unlink(f->object) || errno == ENOENT)
		return 0;
	rc = -errno;
	return fault_set(fault, rc, "%s: cannot be removed: %s", f->object, strerror(-rc));
}

int doctor_files(struct doctor *d, struct fault *fault)
{
	DIR *dir = opendir(userdata_dir());
	const struct dirent *entry;
	char path[sizeof(((struct finding *)0)->object)];
	uint16_t domid;
	uuid_t uuid = {0};

	(void)fault;
	while (dir && (entry = readdir(dir))) {
		if (userdata_parse(entry->d_name, &domid, uuid) ||
		    is_of_live_domain(d, domid, uuid) ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", userdata_dir(), entry->d_name) >=
			    sizeof(path))
			continue;
		doctor_add(d, domid, file_remove, path, "%s is of domain %u, which is gone", path,
			   domid);
	}
	if (dir)
		closedir(dir);
	return 0;
}
