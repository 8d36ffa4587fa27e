#include "toolstack/device/model.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/rundir.h"
#include "lib/xs.h"
#include "toolstack/device/model_args.h"
#include "toolstack/device/qemu.h"
#include "toolstack/device/sandbox.h"
#include "toolstack/device/tap.h"

#define XEN_RUNDIR "/run/xen"

/* libxl's convention: the first user of a range with one a domain; else a range nobody else uses.
 */
#define USER_RANGE "xen-qemuuser-range-base"
#define UID_BASE   1900000000u

void model_socket(uint16_t domid, char *path, size_t size)
{
	snprintf(path, size, XEN_RUNDIR "/qmp-libxl-%u", domid);
}

static int root_path(uint16_t domid, char path[PATH_MAX])
{
	return rundir_path(path, PATH_MAX, "model-%u.root", domid);
}

void model_nodes(struct nodes *nodes, const struct domain_config *config, uint16_t domid,
		 const char *bios)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/local/domain/%u", domid);
	nodes_dir(nodes, 0, domid, "%s/hvmloader", dir);
	nodes_add(nodes, dir, "hvmloader/bios", "%s", bios);
	nodes_add(nodes, dir, "hvmloader/allow-memory-relocate", "0");
	nodes_dir(nodes, domid, NODES_NO_READER, "%s/hvmloader/generation-id-address", dir);
	nodes_dir(nodes, 0, domid, "%s/platform", dir);
	nodes_add(nodes, dir, "platform/acpi", "%d", config_flag(config, OPTION_ACPI, true));
	nodes_add(nodes, dir, "platform/acpi_s3", "%d", config_flag(config, OPTION_ACPI_S3, true));
	nodes_add(nodes, dir, "platform/acpi_s4", "%d", config_flag(config, OPTION_ACPI_S4, true));
	nodes_add(nodes, dir, "platform/acpi_laptop_slate", "0");
	nodes_add(nodes, dir, "platform/device-model", "qemu_xen");
	snprintf(dir, sizeof(dir), "/libxl/%u", domid);
	nodes_add(nodes, dir, "dm-version", "qemu_xen");
	nodes_dir(nodes, 0, NODES_NO_READER, "/local/domain/%u/device-model/%u", BACKEND_DOMID,
		  domid);
}

/* -1: nobody of this name. */
static int user_find(const char *name, uint32_t *uid, uint32_t *gid)
{
	const struct passwd *user = getpwnam(name);

	if (!user)
		return -1;
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	return 0;
}

static int user_choose(const struct domain_config *config, uint16_t domid, uint32_t *uid,
		       uint32_t *gid, struct fault *fault)
{
	const char *name = config_text(config, OPTION_DEVICE_MODEL_USER);
	char place[256];

	if (name) {
		option_place(config, OPTION_DEVICE_MODEL_USER, place, sizeof(place));
		if (user_find(name, uid, gid))
			return fault_set(fault, -ENOENT,
					 "%s: no user %s on this host; make one (useradd -r %s) or "
					 "leave device_model_user out",
					 place, name, name);
		return *uid ? 0
			    : fault_set(fault, -EINVAL,
					"%s: device_model_user=%s is root; name another or write "
					"dm_restrict=0",
					place, name);
	}
	if (user_find(USER_RANGE, uid, gid)) {
		*uid = UID_BASE;
		*gid = UID_BASE + domid;
	}
	*uid += domid;
	return 0;
}

int model_plan(const struct domain_config *config, struct fault *fault)
{
	enum domain_option option;
	const char *wrong = model_wrong(config, &option);
	char place[256], *path = NULL;
	uint32_t uid, gid;

	if (wrong) {
		option_place(config, option, place, sizeof(place));
		return fault_set(fault, -EINVAL, "%s: %s", place, wrong);
	}
	if (qemu_find(config, &path)) {
		const char *own = config_text(config, OPTION_DEVICE_MODEL_OVERRIDE);

		option_place(config, OPTION_DEVICE_MODEL_OVERRIDE, place, sizeof(place));
		return fault_set(fault, -ENOENT, "%s: no device model %s; %s", place,
				 own ? own : "xen-qemu-system-i386",
				 own ? "correct the path" : "install the package qemu-system-xen");
	}
	free(path);
	return model_restricted(config) ? user_choose(config, 1, &uid, &gid, fault) : 0;
}

static int socket_listen(uint16_t domid, int *out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t before;
	int fd, rc = 0;

	if (mkdir(XEN_RUNDIR, 0755) && errno != EEXIST)
		return -errno;
	model_socket(domid, address.sun_path, sizeof(address.sun_path));
	unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	before = umask(0177);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4))
		rc = -errno;
	umask(before);
	if (rc)
		close(fd);
	else
		*out = fd;
	return rc;
}

static int taps_make(const struct domain_config *config, uint16_t domid, struct model_setup *setup,
		     struct fault *fault)
{
	char name[32];

	for (size_t i = 0; i < config->vifs; i++) {
		const struct vif_config *vif = &config->vif[i];

		if (!model_emulates_vif(vif))
			continue;
		if (vif->name)
			snprintf(name, sizeof(name), "%s-emu", vif->name);
		else
			snprintf(name, sizeof(name), "vif%u.%d-emu", domid, vif->devid);
		setup->vif_fd[i] = tap_make(name, vif->bridge, vif->mtu);
		if (setup->vif_fd[i] < 0)
			return fault_set(fault, setup->vif_fd[i],
					 "domain %u: vif %d: interface %s in bridge %s: %s; "
					 "type=vif does without it",
					 domid, vif->devid, name, vif->bridge,
					 strerror(-setup->vif_fd[i]));
	}
	return 0;
}

static int root_make(uint16_t domid, char path[PATH_MAX])
{
	int rc = rundir_make(NULL);

	if (!rc)
		rc = root_path(domid, path);
	if (rc)
		return rc;
	if (rmdir(path) && errno != ENOENT)
		return -errno;
	return mkdir(path, 0) ? -errno : 0;
}

/* What starting one needs, and what is closed here when it has its own. */
struct starting {
	struct toolstack *ts;
	const struct domain_config *config;
	struct model_setup setup;
	char root[PATH_MAX];
	int fd[DEVICES_MAX + 2];
	size_t fds;
	struct fault *fault;
};

static int setup_make(struct starting *s)
{
	struct model_setup *setup = &s->setup;
	bool restricted = model_restricted(s->config);
	int rc = socket_listen(setup->domid, &setup->qmp_fd);

	if (rc)
		return fault_set(s->fault, rc, "domain %u: no QMP socket in " XEN_RUNDIR ": %s",
				 setup->domid, strerror(-rc));
	rc = taps_make(s->config, setup->domid, setup, s->fault);
	if (rc || !restricted)
		return rc;
	rc = root_make(setup->domid, s->root);
	if (rc)
		return fault_set(s->fault, rc, "domain %u: %s: %s", setup->domid, s->root,
				 strerror(-rc));
	setup->root = s->root;
	return user_choose(s->config, setup->domid, &setup->uid, &setup->gid, s->fault);
}

static void fds_collect(struct starting *s)
{
	s->fd[s->fds++] = s->setup.qmp_fd;
	if (s->setup.state_fd >= 0)
		s->fd[s->fds++] = s->setup.state_fd;
	for (size_t i = 0; i < s->config->vifs; i++)
		if (s->setup.vif_fd[i] >= 0)
			s->fd[s->fds++] = s->setup.vif_fd[i];
}

static int run(struct starting *s)
{
	struct argv argv = {0};
	struct qemu_process process = {.argv = &argv,
				       .prepare = s->setup.root ? sandbox_enter : NULL};
	int rc;

	fds_collect(s);
	process.fd = s->fd;
	process.fds = s->fds;
	model_args(&argv, s->config, &s->setup);
	rc = argv.rc ? fault_memory(s->fault)
		     : qemu_run(s->ts, s->setup.domid, QEMU_MODEL, &process, s->fault);
	argv_free(&argv);
	return rc;
}

/* The last it printed tells more than that it hung up. */
static int words_add(uint16_t domid, int rc, struct fault *fault)
{
	char *words = qemu_last_words(domid, QEMU_MODEL);

	if (words)
		fault_set(fault, rc, "domain %u: its device model: %s", domid, words);
	free(words);
	return rc;
}

int model_start(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		int state_fd, struct fault *fault)
{
	struct starting s = {.ts = ts, .config = config, .fault = fault};
	char *path = NULL;
	int rc;

	s.setup.domid = domid;
	s.setup.state_fd = state_fd;
	s.setup.qmp_fd = -1;
	for (size_t i = 0; i < DEVICES_MAX; i++)
		s.setup.vif_fd[i] = -1;
	if (qemu_find(config, &path))
		return qemu_missing(domid, "device model", fault);
	s.setup.path = path;
	rc = setup_make(&s);
	if (!rc && !model_restricted(config))
		rc = xs_write_string(ts->xs, XBT_NULL, "1", QEMU_MODEL_FREE, domid);
	if (!rc)
		rc = run(&s);
	for (size_t i = 0; i < config->vifs; i++)
		if (s.setup.vif_fd[i] >= 0)
			close(s.setup.vif_fd[i]);
	if (s.setup.qmp_fd >= 0)
		close(s.setup.qmp_fd);
	free(path);
	if (rc)
		return rc;
	rc = model_ready(ts, config, domid, fault);
	return rc ? words_add(domid, rc, fault) : 0;
}

void model_stop(struct toolstack *ts, uint16_t domid)
{
	char path[PATH_MAX];

	qemu_stop(ts, domid, QEMU_MODEL);
	model_socket(domid, path, sizeof(path));
	unlink(path);
	if (!root_path(domid, path))
		rmdir(path);
}

bool model_has(struct toolstack *ts, uint16_t domid)
{
	return xs_exists(ts->xs, XBT_NULL, "/libxl/%u/dm-version", domid);
}

bool model_ended(struct toolstack *ts, uint16_t domid)
{
	return model_has(ts, domid) && qemu_ended(ts, domid, QEMU_MODEL);
}
