#include "embedded/launcher/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#include "embedded/ctrl/calls.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/xs.h"

static int write_dom0(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	static const struct {
		const char *path, *value;
	} nodes[] = {
		{"/local/domain/0/name", "Domain-0"},
		{"/local/domain/0/domid", "0"},
		{"/local/pool/0/name", "Pool-0"},
		/* Nobody here has udev rules for vbds and vifs; xl would wait for them. */
		{"/local/domain/0/libxl/disable_udev", "1"},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(nodes) / sizeof(nodes[0]); i++)
		rc = xs_write_string(xs, t, nodes[i].value, "%s", nodes[i].path);
	return rc;
}

int store_furnish(void)
{
	struct xs_handle *xs = xs_open(0);
	int rc;

	if (!xs) {
		rc = -errno;
		log_error("cannot connect to XenStore: %s", strerror(-rc));
		return rc;
	}
	rc = xs_transact(xs, write_dom0, NULL);
	if (rc)
		log_error("cannot write dom0's nodes: %s", strerror(-rc));
	xs_close(xs);
	return rc;
}

/* As every QEMU is told whose it is. */
static bool is_device_model(const char *cmdline, size_t size)
{
	static const char word[] = "-xen-domid";

	return memmem(cmdline, size, word, sizeof(word)) != NULL;
}

/* Where mounting /proc was refused, its numbers are not ours. */
static bool proc_is_ours(void)
{
	char self[16] = "";
	uint64_t pid;

	return readlink("/proc/self", self, sizeof(self) - 1) > 0 &&
	       !number_parse(self, INT_MAX, &pid) && (pid_t)pid == getpid();
}

static void device_models_end(void)
{
	DIR *proc = proc_is_ours() ? opendir("/proc") : NULL;
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char path[64], cmdline[4096];
		uint64_t pid;
		ssize_t n;
		int fd;

		if (number_parse(entry->d_name, INT_MAX, &pid))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, cmdline, sizeof(cmdline));
		close(fd);
		if (n > 0 && is_device_model(cmdline, (size_t)n))
			kill((pid_t)pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
}

int guests_destroy(void)
{
	struct wire_info info;
	struct client client;
	int rc = client_open(&client);

	if (rc)
		goto out;
	while ((rc = calls_info(&client, 1, 1, &info)) == 1) {
		rc = calls_destroy(&client, info.domid);
		if (rc && rc != -ESRCH)
			break;
	}
	client_close(&client);
	device_models_end();
out:
	if (rc)
		log_error("cannot destroy the guests: %s", strerror(-rc));
	return rc;
}
