#include "frontend/process/export.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/io/xenbus.h>

#include "lib/log.h"
#include "lib/rundir.h"
#include "lib/xs.h"

/** As many requests of one client as nbdkit works on at once. */
#define EXPORT_THREADS "32"

/* Beside our own program: ../lib/xsplit/nbdkit. */
static int plugin_path(char *path, size_t size)
{
	char self[512];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int n;

	if (length < 0)
		return -errno;
	self[length] = '\0';
	n = snprintf(path, size, "%s/../lib/xsplit/nbdkit/nbdkit-xsplit-plugin.so", dirname(self));
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* A socket that nobody listens on is left over from a guest that crashed. */
static int socket_clear(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	rc = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : -EADDRINUSE;
	close(fd);
	if (rc == -ECONNREFUSED)
		return unlink(path) ? -errno : 0;
	return rc == -ENOENT ? 0 : rc;
}

static int socket_name(struct export *export)
{
	int rc = rundir_make(NULL);

	if (!rc)
		rc = rundir_path(export->socket, sizeof(export->socket), "nbd-%" PRIu32 ".sock",
				 export->device);
	if (!rc)
		rc = socket_clear(export->socket);
	if (rc)
		log_error("vbd %" PRIu32 ": cannot listen below %s: %s; set XSPLIT_RUNDIR to a "
			  "directory of this guest's own with a short name",
			  export->device, rundir(), strerror(-rc));
	return rc;
}

#ifdef XSPLIT_SANITIZED
/* nbdkit is built without the sanitizers: to load our plugin it must load their runtime first. Its
 * own leaks are not ours to report. */
static void child_sanitize(void)
{
	void *entry = dlsym(RTLD_DEFAULT, "__asan_init");
	Dl_info runtime;

	if (!entry || !dladdr(entry, &runtime))
		return;
	setenv("LD_PRELOAD", runtime.dli_fname, 1);
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
}
#else
static void child_sanitize(void)
{
}
#endif

static _Noreturn void child_exec(const struct export *export, const char *plugin)
{
	char device[48];
	sigset_t none;

	snprintf(device, sizeof(device), "device=device/vbd/%" PRIu32, export->device);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	child_sanitize();
	execlp("nbdkit", "nbdkit", "--foreground", "--exit-with-parent", "--log=stderr",
	       "--filter=blocksize", "--threads", EXPORT_THREADS, "--unix", export->socket, plugin,
	       device, (char *)NULL);
	log_error("vbd %" PRIu32 ": cannot run nbdkit: %s; install the package nbdkit",
		  export->device, strerror(errno));
	_exit(127);
}

int export_start(struct export *export)
{
	char plugin[600];
	pid_t pid;
	int rc;

	rc = plugin_path(plugin, sizeof(plugin));
	if (!rc && access(plugin, R_OK))
		rc = -errno;
	if (rc) {
		log_error("vbd %" PRIu32 ": no plugin ../lib/xsplit/nbdkit beside this program: "
			  "%s; was it installed in full?",
			  export->device, strerror(-rc));
		return rc;
	}
	rc = socket_name(export);
	if (rc)
		return rc;
	pid = fork();
	if (pid < 0) {
		rc = -errno;
		log_error("vbd %" PRIu32 ": fork: %s", export->device, strerror(-rc));
		return rc;
	}
	if (!pid)
		child_exec(export, plugin);
	export->pid = pid;
	return 0;
}

static void export_publish(struct export *export, struct xs_handle *xs)
{
	int rc = xs_write_string(xs, XBT_NULL, export->socket, "data/nbd/%" PRIu32, export->device);

	if (rc)
		log_error("vbd %" PRIu32 ": cannot write data/nbd/%" PRIu32 ": %s; does the guest "
			  "own the node data?",
			  export->device, export->device, strerror(-rc));
	else
		log_info("vbd %" PRIu32 ": nbd+unix:///?socket=%s", export->device, export->socket);
	export->published = !rc;
}

static void export_withdraw(struct export *export, struct xs_handle *xs)
{
	if (export->published)
		xs_remove(xs, XBT_NULL, "data/nbd/%" PRIu32, export->device);
	export->published = false;
}

void export_refresh(struct export *export, struct xs_handle *xs, uint64_t state)
{
	bool connected = export->pid && !export->leaving && state == XenbusStateConnected;

	if (connected && !export->published)
		export_publish(export, xs);
	else if (!connected)
		export_withdraw(export, xs);
}

void export_stop(struct export *export, bool at_once)
{
	if (!export->pid)
		return;
	export->leaving = true;
	kill(export->pid, at_once ? SIGKILL : SIGTERM);
}

void export_ended(struct export *export, struct xs_handle *xs, int status)
{
	bool good = WIFEXITED(status) && !WEXITSTATUS(status);

	export->pid = 0;
	export_withdraw(export, xs);
	if (*export->socket)
		unlink(export->socket);
	if (good)
		return;
	if (WIFSIGNALED(status))
		log_error("vbd %" PRIu32 ": nbdkit was killed by signal %d; the disk is closed, "
			  "detach it and attach it again",
			  export->device, WTERMSIG(status));
	else
		log_error("vbd %" PRIu32 ": nbdkit ended with status %d; the disk is closed, "
			  "detach it and attach it again",
			  export->device, WEXITSTATUS(status));
	if (xs_exists(xs, XBT_NULL, "device/vbd/%" PRIu32 "/state", export->device))
		xs_write_number(xs, XBT_NULL, XenbusStateClosed, "device/vbd/%" PRIu32 "/state",
				export->device);
}
