#include "embedded/launcher/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* user_namespaces(7): one line that maps ourselves, after giving up setgroups(2), needs no right.
 */
static int map_root(uid_t uid, gid_t gid)
{
	char uids[32], gids[32];
	int rc;

	(void)snprintf(uids, sizeof(uids), "0 %u 1", uid);
	(void)snprintf(gids, sizeof(gids), "0 %u 1", gid);
	rc = write_file("/proc/self/setgroups", "deny");
	if (!rc)
		rc = write_file("/proc/self/uid_map", uids);
	if (!rc)
		rc = write_file("/proc/self/gid_map", gids);
	return rc;
}

int namespaces_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int rc;

	if (uid && unshare(CLONE_NEWUSER)) {
		rc = -errno;
		log_error("user namespaces are refused (%s): run as root, or let users have them "
			  "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
			  "kernel.apparmor_restrict_unprivileged_userns)",
			  strerror(errno));
		return rc;
	}
	rc = uid ? map_root(uid, gid) : 0;
	if (rc) {
		log_error("cannot become root in a user namespace: %s; run as root", strerror(-rc));
		return rc;
	}
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID)) {
		rc = -errno;
		log_error("namespaces are refused (%s): a container may need --privileged",
			  strerror(errno));
		return rc;
	}
	return 0;
}

static int loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (s < 0)
		return -errno;
	if (ioctl(s, SIOCSIFFLAGS, &request))
		rc = -errno;
	close(s);
	return rc;
}

void namespaces_furnish(const char *hostname)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int rc;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		log_warn("mounts stay shared with the machine: %s", strerror(errno));
	if (mount("proc", "/proc", "proc", flags, NULL))
		log_warn("/proc shows the whole machine: mounting it is refused (%s)",
			 strerror(errno));
	if (mount("sysfs", "/sys", "sysfs", flags, NULL))
		log_debug("/sys shows the machine's network: %s", strerror(errno));
	rc = loopback_up();
	if (rc)
		log_warn("no loopback device: %s", strerror(-rc));
	if (sethostname(hostname, strlen(hostname)))
		log_debug("the host keeps the machine's name: %s", strerror(errno));
}

void machine_look(void)
{
	struct io_uring_params params = {0};
	long ring;

	if (access("/dev/net/tun", R_OK | W_OK))
		log_warn("/dev/net/tun: %s; guests get no network (modprobe tun)", strerror(errno));
	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0)
		log_warn("io_uring is refused (%s); disks will be slow or fail "
			 "(sysctl kernel.io_uring_disabled)",
			 strerror(errno));
	else
		close((int)ring);
}
