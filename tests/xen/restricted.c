/*
 * restricted PID - what a process may still ask of Xen through the devices that it holds open:
 * nothing but what names its own domain. Run as root; each descriptor is tried as if the process
 * itself did it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xenctrl.h>

#include <xen/sys/evtchn.h>
#include <xen/sys/privcmd.h>

/* Any hypercall will do. */
static int hypercall_try(int fd)
{
	privcmd_hypercall_t call = {.op = __HYPERVISOR_xen_version, .arg = {XENVER_version}};

	return ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call) < 0 ? -errno : 0;
}

/* A page of dom0's, which is not the guest. */
static int mapping_try(int fd)
{
	void *at = mmap(NULL, XC_PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	xen_pfn_t frame = 0;
	int error = 0;
	privcmd_mmapbatch_v2_t map = {
		.num = 1, .dom = 0, .addr = (uintptr_t)at, .arr = &frame, .err = &error};
	int rc;

	if (at == MAP_FAILED)
		return -errno;
	rc = ioctl(fd, IOCTL_PRIVCMD_MMAPBATCH_V2, &map) < 0 ? -errno : 0;
	munmap(at, XC_PAGE_SIZE);
	/* It was let in, and the frame was none. */
	return rc == -ENOENT ? 0 : rc;
}

static int event_try(int fd)
{
	struct ioctl_evtchn_bind_virq bind = {.virq = 0};

	return ioctl(fd, IOCTL_EVTCHN_BIND_VIRQ, &bind) < 0 ? -errno : 0;
}

static const struct {
	const char *device, *what;
	int (*run)(int fd);
	int refused; /* with this */
} trials[] = {
	{"privcmd", "a hypercall", hypercall_try, -EPERM},
	{"privcmd", "dom0's memory", mapping_try, -EPERM},
	{"evtchn", "an interrupt of Xen's", event_try, -EACCES},
};

#define TRIALS (sizeof(trials) / sizeof(trials[0]))

static int try_all(int fd, const char *name, unsigned seen[TRIALS])
{
	int bad = 0;

	for (size_t i = 0; i < TRIALS; i++) {
		int rc;

		if (strcmp(name, trials[i].device) != 0)
			continue;
		rc = trials[i].run(fd);
		printf("%s: %s: %s\n", name, trials[i].what, rc ? strerror(-rc) : "allowed");
		seen[i]++;
		bad |= rc != trials[i].refused;
	}
	return bad;
}

/* A trial that nobody passes says nothing. */
static int control(void)
{
	int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC), bad;

	bad = fd < 0 || hypercall_try(fd) || mapping_try(fd) == -EPERM;
	if (bad)
		printf("the trials do not work for root itself\n");
	close(fd);
	return bad;
}

static int process_try(const char *pid, unsigned seen[TRIALS])
{
	int process = (int)syscall(SYS_pidfd_open, atoi(pid), 0), bad = 0;
	char path[64], target[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (process < 0 || !dir) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		const char *name;
		int fd;

		if (n < 0)
			continue;
		target[n] = '\0';
		name = strrchr(target, '/');
		if (strncmp(target, "/dev/xen/", 9) != 0 && strncmp(target, "/proc/xen/", 10) != 0)
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
		printf("descriptor %s: ", entry->d_name);
		bad |= fd < 0 || try_all(fd, name + 1, seen);
		if (strcmp(name, "/privcmd") != 0 && strcmp(name, "/evtchn") != 0) {
			printf("%s stays open\n", target);
			bad = 1;
		}
		close(fd);
	}
	closedir(dir);
	close(process);
	return bad;
}

int main(int argc, char **argv)
{
	unsigned seen[TRIALS] = {0};
	int bad;

	if (argc != 2) {
		fprintf(stderr, "usage: restricted PID\n");
		return 2;
	}
	bad = control();
	bad |= process_try(argv[1], seen);
	for (size_t i = 0; i < TRIALS; i++)
		if (!seen[i]) {
			printf("%s: no descriptor to try %s with\n", trials[i].device,
			       trials[i].what);
			bad = 1;
		}
	return bad;
}
