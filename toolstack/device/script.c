#include "toolstack/device/script.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/hotplug.h"

/* As libxl's LIBXL_HOTPLUG_TIMEOUT. */
#define SCRIPT_SECONDS 40

char *script_path(const char *script)
{
	char *path = NULL;

	if (*script == '/')
		return strdup(script);
	return asprintf(&path, "%s/%s", SCRIPT_DIR, script) < 0 ? NULL : path;
}

static void environment_set(const struct device *d, const char *script, const char *back)
{
	char vif[32];

	setenv("script", script, 1);
	setenv("XENBUS_TYPE", d->type == DEVICE_VIF ? "vif" : "vbd", 1);
	setenv("XENBUS_BASE_PATH", "backend", 1);
	/* Relative to the backend's own domain, "backend/vif/5/0". */
	setenv("XENBUS_PATH", strstr(back, "/backend/") + 1, 1);
	if (d->type != DEVICE_VIF)
		return;
	snprintf(vif, sizeof(vif), "vif%u.%" PRIu32, d->domid, d->id);
	setenv("vif", vif, 1);
}

static const char *verb_of(const struct device *d, bool add)
{
	if (d->type == DEVICE_VIF)
		return add ? "online" : "offline";
	return add ? "add" : "remove";
}

/* In a session of its own, so that one that takes too long is ended with all that it started. */
static pid_t spawn(const struct toolstack *ts, const struct device *d, const char *script, bool add)
{
	char back[XS_PATH_SIZE];
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	setsid();
	if (ts->interrupt.fd >= 0)
		sigprocmask(SIG_SETMASK, &ts->interrupt.before, NULL);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	device_back(d, back);
	environment_set(d, script, back);
	execl(script, script, verb_of(d, add), d->type == DEVICE_VIF ? "type_if=vif" : NULL, NULL);
	_exit(127);
}

/* Return: 0, -EIO (its exit status is not 0), -ETIMEDOUT, -EINTR. */
static int await(struct toolstack *ts, pid_t pid, bool interruptible)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd polled[] = {
		{.fd = pidfd, .events = POLLIN},
		{.fd = interruptible ? ts->interrupt.fd : -1, .events = POLLIN},
	};
	int status, rc = 0;

	if (pidfd >= 0 && poll(polled, 2, SCRIPT_SECONDS * 1000) <= 0)
		rc = -ETIMEDOUT;
	else if (pidfd >= 0 && !polled[0].revents)
		rc = -EINTR;
	if (pidfd >= 0)
		close(pidfd);
	if (rc)
		kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	return rc ? rc : status ? -EIO : 0;
}

/* The script of a device, NULL when it has none, as a console never has. */
static char *script_of(struct toolstack *ts, const struct device *d)
{
	char path[XS_PATH_SIZE], *script;

	if (d->type == DEVICE_CONSOLE)
		return NULL;
	device_private(d, path);
	script = xs_read_string(ts->xs, XBT_NULL, "%s/script", path);
	if (hotplug_is_script(script))
		return script;
	free(script);
	return NULL;
}

static char *back_read(struct toolstack *ts, const struct device *d, const char *name)
{
	char back[XS_PATH_SIZE];

	device_back(d, back);
	return xs_read_string(ts->xs, XBT_NULL, "%s/%s", back, name);
}

static int failed(struct toolstack *ts, const struct device *d, const char *script, int rc,
		  struct fault *fault)
{
	char label[64], *words = back_read(ts, d, "hotplug-error");

	device_label(d, label, sizeof(label));
	if (rc == -EINTR)
		fault_set(fault, rc, "interrupted");
	else if (rc == -ETIMEDOUT)
		fault_set(fault, rc, "domain %u: %s: script %s was not done after %d s", d->domid,
			  label, script, SCRIPT_SECONDS);
	else
		fault_set(fault, rc, "domain %u: %s: script %s %s failed: %s", d->domid, label,
			  script, verb_of(d, true), words ? words : "it left no hotplug-error");
	free(words);
	return rc;
}

/* Else udev's rules, where a host has some, would run the script a second time. */
static int udev_disable(struct toolstack *ts, struct fault *fault)
{
	int rc = 0;

	if (!xs_exists(ts->xs, XBT_NULL, UDEV_DISABLED))
		rc = xs_write_string(ts->xs, XBT_NULL, "1", UDEV_DISABLED);
	if (rc)
		fault_set(fault, rc, "cannot write %s to the XenStore: %s", UDEV_DISABLED,
			  strerror(-rc));
	return rc;
}

static int add(struct toolstack *ts, const struct device *d, struct fault *fault)
{
	char *script = script_of(ts, d);
	pid_t pid;
	int rc;

	if (!script)
		return 0;
	rc = udev_disable(ts, fault);
	if (rc)
		goto out;
	pid = spawn(ts, d, script, true);
	rc = pid < 0 ? pid : await(ts, pid, true);
	if (rc)
		failed(ts, d, script, rc, fault);
out:
	free(script);
	return rc;
}

int scripts_add(struct toolstack *ts, const struct devices *devices, struct fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < devices->count && !rc; i++)
		rc = add(ts, &devices->device[i], fault);
	return rc;
}

void scripts_remove(struct toolstack *ts, const struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct device *d = &devices->device[i];
		char *script = script_of(ts, d);
		char *status = script ? back_read(ts, d, "hotplug-status") : NULL;
		pid_t pid = status && *status ? spawn(ts, d, script, false) : -1;

		if (pid > 0)
			await(ts, pid, false);
		free(status);
		free(script);
	}
}
