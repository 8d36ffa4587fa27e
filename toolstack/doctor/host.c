/* Processes, interfaces and loop devices of domains that Xen does not have. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/doctor/doctor.h"
#include "toolstack/domain/link.h"
#include "toolstack/nodes.h"

/* How long a process has to end when asked. */
#define END_SECONDS 5

static int process_end(struct doctor *d, const struct finding *f, struct fault *fault)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (int i = 0; i < END_SECONDS * 20; i++) {
		if (kill(f->pid, i ? 0 : SIGTERM))
			return errno == ESRCH ? 0
					      : fault_set(fault, -errno, "process %d: %s",
							  (int)f->pid, strerror(errno));
		nanosleep(&pause, NULL);
	}
	kill(f->pid, SIGKILL);
	return 0;
}

/* The number behind -xen-domid of a QEMU's command line; words end with NUL bytes. */
static bool qemu_of(const char *words, size_t length, uint16_t *domid)
{
	static const char option[] = "-xen-domid";
	const char *end = words + length, *next;

	if (!strstr(words, "qemu"))
		return false;
	for (const char *word = words; word < end; word = next) {
		next = word + strlen(word) + 1;
		if (!strcmp(word, option) && next < end)
			return !number_parse_u16(next, domid);
	}
	return false;
}

static size_t cmdline_read(const char *pid, char *words, size_t size)
{
	char path[300];
	size_t length = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	file = fopen(path, "re");
	if (file) {
		length = fread(words, 1, size - 1, file);
		fclose(file);
	}
	words[length] = '\0';
	return length;
}

static void processes_check(struct doctor *d)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char words[4096];
	uint16_t domid;

	while (proc && (entry = readdir(proc))) {
		struct finding *f;
		size_t length;

		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		length = cmdline_read(entry->d_name, words, sizeof(words));
		if (!length || !qemu_of(words, length, &domid) || doctor_lives(d, domid))
			continue;
		f = doctor_add(d, domid, process_end, entry->d_name,
			       "process %s is the QEMU of domain %u, which is gone", entry->d_name,
			       domid);
		if (f)
			f->pid = (pid_t)atoi(entry->d_name);
	}
	if (proc)
		closedir(proc);
}

static int interface_remove(struct doctor *d, const struct finding *f, struct fault *fault)
{
	int rc = link_remove(f->object);

	return rc && rc != -ENODEV ? fault_set(fault, rc, "interface %s: cannot be removed: %s",
					       f->object, strerror(-rc))
				   : 0;
}

/* vifN.M, vifN.M-emu: as the backends call them unless vifname= says another name. */
static void interfaces_check(struct doctor *d)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *one = all; one && one->if_name; one++) {
		unsigned domid, devid;

		if (sscanf(one->if_name, "vif%u.%u", &domid, &devid) == 2 &&
		    !doctor_lives(d, domid))
			doctor_add(d, (int)domid, interface_remove, one->if_name,
				   "interface %s is of domain %u, which is gone", one->if_name,
				   domid);
	}
	if (all)
		if_freenameindex(all);
}

static int loop_detach(struct doctor *d, const struct finding *f, struct fault *fault)
{
	int fd = open(f->object, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : 0;

	if (!rc && ioctl(fd, LOOP_CLR_FD) && errno != ENXIO)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc ? fault_set(fault, rc, "%s: cannot be detached: %s", f->object, strerror(-rc))
		  : 0;
}

static bool is_loop(const char *path)
{
	struct loop_info64 info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool bound = fd >= 0 && !ioctl(fd, LOOP_GET_STATUS64, &info);

	if (fd >= 0)
		close(fd);
	return bound;
}

/* Those that a hotplug script made for a disk: it wrote their names into the backend's directory.
 */
static void loops_check(struct doctor *d)
{
	static const char home[] = "/local/domain/0/backend/vbd";
	unsigned domains, disks;
	char **ids = nodes_list(d->ts->xs, XBT_NULL, &domains, "%s", home);
	uint16_t domid;

	for (unsigned i = 0; i < domains; i++) {
		char **devids;

		if (number_parse_u16(ids[i], &domid) || doctor_lives(d, domid))
			continue;
		devids = nodes_list(d->ts->xs, XBT_NULL, &disks, "%s/%s", home, ids[i]);
		for (unsigned n = 0; n < disks; n++) {
			char *path = xs_read_string(d->ts->xs, XBT_NULL, "%s/%s/%s/node", home,
						    ids[i], devids[n]);

			if (path && !strncmp(path, "/dev/loop", 9) && is_loop(path))
				doctor_add(d, domid, loop_detach, path,
					   "%s is a disk of domain %u, which is gone", path, domid);
			free(path);
		}
		free(devids);
	}
	free(ids);
}

int doctor_host(struct doctor *d, struct fault *fault)
{
	processes_check(d);
	interfaces_check(d);
	loops_check(d);
	return 0;
}
