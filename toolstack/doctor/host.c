/* Processes, interfaces and loop devices of domains that Xen does not have. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/doctor/doctor.h"
#include "toolstack/domain/link.h"
#include "toolstack/nodes.h"

/* How long a process has to end when asked. */
#define END_SECONDS 5

/* As much of a command line as is read. */
#define CMDLINE_SIZE 4096

#define BACKENDS "/local/domain/0/backend"

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

/* What was found some time ago is only touched while its domain is gone still. */
static int still_gone(const struct doctor *d, const struct finding *f, struct fault *fault)
{
	return doctor_lives(d, (unsigned)f->domid)
		       ? fault_set(fault, -EAGAIN, "domain %d is there again", f->domid)
		       : 0;
}

static int process_end(struct doctor *d, const struct finding *f, struct fault *fault)
{
	/* Open first, then look: what is looked at cannot become another process. */
	struct pollfd polled = {.fd = (int)syscall(SYS_pidfd_open, f->pid, 0), .events = POLLIN};
	char words[CMDLINE_SIZE];
	size_t length = cmdline_read(f->object, words, sizeof(words));
	uint16_t domid = 0;
	int rc = still_gone(d, f, fault);

	if (!rc && polled.fd >= 0 && qemu_of(words, length, &domid) && domid == f->domid) {
		syscall(SYS_pidfd_send_signal, polled.fd, SIGTERM, NULL, 0);
		if (poll(&polled, 1, END_SECONDS * 1000) <= 0)
			syscall(SYS_pidfd_send_signal, polled.fd, SIGKILL, NULL, 0);
	}
	if (polled.fd >= 0)
		close(polled.fd);
	return rc;
}

static void processes_check(struct doctor *d)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char words[CMDLINE_SIZE];
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
	int rc = still_gone(d, f, fault);

	if (rc)
		return rc;
	rc = link_remove(f->object);
	return rc && rc != -ENODEV ? fault_set(fault, rc, "interface %s: cannot be removed: %s",
					       f->object, strerror(-rc))
				   : 0;
}

/* vifN.M, vifN.M-emu: as the backends call them unless vifname= says another name. */
static bool vif_of(const char *name, unsigned *domid)
{
	unsigned devid;
	int n = 0;

	return sscanf(name, "vif%u.%u%n", domid, &devid, &n) == 2 &&
	       (!name[n] || !strcmp(name + n, "-emu"));
}

/* Has a domain that lives a device whose node says this? */
static bool is_of_live(struct doctor *d, const char *kind, const char *node, const char *value)
{
	bool found = false;

	for (size_t i = 0; i < d->lives && !found; i++) {
		unsigned count;
		char **ids = nodes_list(d->ts->xs, XBT_NULL, &count, BACKENDS "/%s/%u", kind,
					d->live[i].domid);

		for (unsigned n = 0; n < count && !found; n++) {
			char *has = xs_read_string(d->ts->xs, XBT_NULL, BACKENDS "/%s/%u/%s/%s",
						   kind, d->live[i].domid, ids[n], node);

			found = has && !strncmp(value, has, strlen(has)) &&
				(!value[strlen(has)] || !strcmp(value + strlen(has), "-emu"));
			free(has);
		}
		free(ids);
	}
	return found;
}

static void interfaces_check(struct doctor *d)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *one = all; one && one->if_name; one++) {
		unsigned domid;

		if (vif_of(one->if_name, &domid) && !doctor_lives(d, domid) &&
		    !is_of_live(d, "vif", "vifname", one->if_name))
			doctor_add(d, (int)domid, interface_remove, one->if_name,
				   "interface %s is of domain %u, which is gone", one->if_name,
				   domid);
	}
	if (all)
		if_freenameindex(all);
}

static int loop_detach(struct doctor *d, const struct finding *f, struct fault *fault)
{
	int rc = still_gone(d, f, fault), fd;

	if (rc)
		return rc;
	fd = open(f->object, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : 0;
	if (!rc && ioctl(fd, LOOP_CLR_FD) && errno != ENXIO)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc ? fault_set(fault, rc, "%s: cannot be detached: %s", f->object, strerror(-rc))
		  : 0;
}

/* Does it show this file still, and not what somebody else has put behind it since? */
static bool is_loop_of(const char *path, const char *file)
{
	struct loop_info64 info;
	struct stat stat_of;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool shows = fd >= 0 && file && !ioctl(fd, LOOP_GET_STATUS64, &info) &&
		     !stat(file, &stat_of) && info.lo_device == stat_of.st_dev &&
		     info.lo_inode == stat_of.st_ino;

	if (fd >= 0)
		close(fd);
	return shows;
}

/* By what a script wrote into a disk's backend directory. */
static void loop_check(struct doctor *d, uint16_t domid, const char *disk)
{
	char *path = xs_read_string(d->ts->xs, XBT_NULL, BACKENDS "/vbd/%u/%s/node", domid, disk);
	char *file = xs_read_string(d->ts->xs, XBT_NULL, BACKENDS "/vbd/%u/%s/params", domid, disk);

	if (path && !strncmp(path, "/dev/loop", 9) && is_loop_of(path, file) &&
	    !is_of_live(d, "vbd", "node", path))
		doctor_add(d, domid, loop_detach, path, "%s is a disk of domain %u, which is gone",
			   path, domid);
	free(path);
	free(file);
}

/* Those that a hotplug script made for a disk. */
static void loops_check(struct doctor *d)
{
	unsigned domains, disks;
	char **ids = nodes_list(d->ts->xs, XBT_NULL, &domains, BACKENDS "/vbd");
	uint16_t domid;

	for (unsigned i = 0; i < domains; i++) {
		char **devids;

		if (number_parse_u16(ids[i], &domid) || doctor_lives(d, domid))
			continue;
		devids = nodes_list(d->ts->xs, XBT_NULL, &disks, BACKENDS "/vbd/%u", domid);
		for (unsigned n = 0; n < disks; n++)
			loop_check(d, domid, devids[n]);
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
