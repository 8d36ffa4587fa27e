#include "toolstack/domain/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/device/model.h"
#include "toolstack/device/script.h"
#include "toolstack/domain/claims.h"
#include "toolstack/domain/kernel.h"
#include "toolstack/domain/link.h"
#include "toolstack/domain/tuning.h"

#define SECTOR 512u

int plan_memory_short(const struct domain_config *config, uint64_t free_kib, struct fault *fault)
{
	char place[256];

	domain_config_place(config, config->memory_line, place, sizeof(place));
	return fault_set(fault, -ENOMEM,
			 "%s: memory=%" PRIu64 " is more than the %" PRIu64
			 " MiB that are free; lower it or end other domains",
			 place, config->memory_kib >> 10, free_kib >> 10);
}

static int memory_plan(struct toolstack *ts, const struct domain_config *config,
		       struct fault *fault)
{
	uint64_t free_kib;
	int rc = xen_memory_free(ts->xen, &free_kib, fault);

	return rc || config->memory_kib <= free_kib ? rc
						    : plan_memory_short(config, free_kib, fault);
}

/* Opened as the backend will open it; a block device that is mounted says EBUSY. */
static int image_open(const struct disk_config *disk, const struct stat *stat)
{
	int flags = disk->writable ? O_RDWR : O_RDONLY;
	int fd;

	if (S_ISBLK(stat->st_mode) && disk->writable)
		flags |= O_EXCL;
	fd = open(disk->target, flags | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int image_size(int fd, const struct stat *stat, uint64_t *size)
{
	if (S_ISREG(stat->st_mode)) {
		*size = (uint64_t)stat->st_size;
		return 0;
	}
	return ioctl(fd, BLKGETSIZE64, size) ? -errno : 0;
}

static int size_check(const struct disk_config *disk, uint64_t size, const char *place,
		      struct fault *fault)
{
	if (!size)
		return fault_set(fault, -EINVAL,
				 "%s: image %s is empty; give it a size (truncate -s 256M %s)",
				 place, disk->target, disk->target);
	if (disk->format == DISK_RAW && size % SECTOR)
		return fault_set(
			fault, -EINVAL,
			"%s: image %s ends inside a sector of %u bytes; lengthen it (truncate "
			"-s %%%u %s)",
			place, disk->target, SECTOR, SECTOR, disk->target);
	return 0;
}

static int image_check(const struct disk_config *disk, const char *place, struct fault *fault)
{
	struct stat stat;
	uint64_t size = 0;
	int fd, rc;

	if (lstat(disk->target, &stat)) {
		rc = -errno;
		return fault_set(fault, rc, "%s: image %s: %s", place, disk->target, strerror(-rc));
	}
	if (!S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode))
		return fault_set(
			fault, -EINVAL,
			"%s: image %s is neither a file nor a block device; correct target=", place,
			disk->target);
	fd = image_open(disk, &stat);
	if (fd == -EBUSY)
		return fault_set(fault, fd, "%s: image %s is in use on this host; unmount it",
				 place, disk->target);
	if (fd < 0)
		return fault_set(fault, fd, "%s: image %s cannot be opened to %s: %s%s", place,
				 disk->target, disk->writable ? "write" : "read", strerror(-fd),
				 disk->writable ? "; correct that or use access=ro" : "");
	rc = image_size(fd, &stat, &size);
	close(fd);
	if (rc)
		return fault_set(fault, rc, "%s: image %s: no size: %s", place, disk->target,
				 strerror(-rc));
	return size_check(disk, size, place, fault);
}

static int image_find(struct disk_config *disk, const char *place, struct fault *fault)
{
	char *real = realpath(disk->target, NULL);

	if (!real) {
		int rc = -errno;

		if (rc == -ENOENT)
			return fault_set(
				fault, rc,
				"%s: image %s does not exist; create it (truncate -s 256M %s) or "
				"correct target=",
				place, disk->target, disk->target);
		return fault_set(fault, rc, "%s: image %s: %s", place, disk->target, strerror(-rc));
	}
	free(disk->target);
	disk->target = real;
	return 0;
}

/* The script becomes an absolute path, as libxl makes it. */
static int script_plan(char **script, const char *place, struct fault *fault)
{
	char *path = script_path(*script);

	if (!path)
		return fault_memory(fault);
	if (access(path, X_OK)) {
		int rc = -errno;

		fault_set(fault, rc, "%s: script %s: %s; correct script= or leave it out", place,
			  path, strerror(-rc));
		free(path);
		return rc;
	}
	free(*script);
	*script = path;
	return 0;
}

int plan_disk(struct toolstack *ts, struct disk_config *disk, const char *place,
	      struct fault *fault)
{
	int rc;

	/* With a script the target is the script's business. */
	if (disk->cdrom && !*disk->target)
		return 0;
	if (disk->script) {
		rc = script_plan(&disk->script, place, fault);
		return rc ? rc : claims_image(ts, XBT_NULL, disk, place, fault);
	}
	if (disk->remote) /* only connecting tells, which is the backend's */
		return claims_image(ts, XBT_NULL, disk, place, fault);
	rc = image_find(disk, place, fault);
	/* Another domain first: its block device would only be "in use on this host". */
	if (!rc)
		rc = claims_image(ts, XBT_NULL, disk, place, fault);
	return rc ? rc : image_check(disk, place, fault);
}

static int bridge_check(const struct vif_config *vif, const char *place, struct fault *fault)
{
	int rc = link_is_bridge(vif->bridge);

	switch (rc) {
	case 0:
		return 0;
	case -ENODEV:
		return fault_set(
			fault, rc,
			"%s: bridge %s does not exist; create it (ip link add %s type bridge) or "
			"set bridge=",
			place, vif->bridge, vif->bridge);
	case -EINVAL:
		return fault_set(
			fault, rc,
			"%s: bridge %s is an interface but no bridge; name another in bridge=",
			place, vif->bridge);
	default:
		return fault_set(fault, rc, "%s: bridge %s: netlink: %s", place, vif->bridge,
				 strerror(-rc));
	}
}

int plan_vif(struct toolstack *ts, struct vif_config *vif, const char *place, struct fault *fault)
{
	int rc = vif->script ? script_plan(&vif->script, place, fault)
			     : bridge_check(vif, place, fault);

	if (!rc && vif->name && !link_exists(vif->name))
		rc = fault_set(fault, -EEXIST,
			       "%s: an interface %s exists already; choose another vifname", place,
			       vif->name);
	if (rc)
		return rc;
	if (vif->mac_given)
		return claims_mac(ts, XBT_NULL, vif, place, fault);
	do
		mac_generate(vif->mac);
	while (claims_mac(ts, XBT_NULL, vif, place, fault) == -EEXIST);
	vif->mac_given = true;
	return 0;
}

/* A writer's image must not be another disk of the same guest either. */
static int images_differ(const struct domain_config *config, size_t index, const char *place,
			 struct fault *fault)
{
	const struct disk_config *disk = &config->disk[index];

	for (size_t i = 0; i < index; i++)
		if ((disk->writable || config->disk[i].writable) &&
		    images_same(disk->target, config->disk[i].target))
			return fault_set(fault, -EBUSY,
					 "%s: image %s is also disk %zu's; give each its own, or "
					 "access=ro to both",
					 place, disk->target, i);
	return 0;
}

static void device_place(const struct domain_config *config, unsigned line, const char *key,
			 size_t index, char place[300])
{
	char file[256];

	domain_config_place(config, line, file, sizeof(file));
	snprintf(place, 300, "%s: %s %zu", file, key, index);
}

int plan_paths(struct domain_config *config, struct fault *fault)
{
	char place[300];
	int rc = kernel_plan(config, fault);

	for (size_t i = 0; i < config->disks && !rc; i++) {
		struct disk_config *disk = &config->disk[i];

		device_place(config, disk->line, "disk", i, place);
		if (disk->script)
			rc = script_plan(&disk->script, place, fault);
		else if (!disk->remote && *disk->target)
			rc = image_find(disk, place, fault);
	}
	for (size_t i = 0; i < config->vifs && !rc; i++) {
		struct vif_config *vif = &config->vif[i];

		device_place(config, vif->line, "vif", i, place);
		rc = vif->script ? script_plan(&vif->script, place, fault) : 0;
		if (!vif->mac_given)
			mac_generate(vif->mac);
		vif->mac_given = true;
	}
	return rc;
}

/* Only a whole machine has emulated cards. */
static int card_check(const struct domain_config *config, const struct vif_config *vif,
		      const char *place, struct fault *fault)
{
	if (config->type == DOMAIN_HVM || (vif->kind != VIF_IOEMU && !vif->model))
		return 0;
	return fault_set(fault, -EINVAL, "%s: %s is for guests of type=\"hvm\"; leave it out",
			 place, vif->model ? "model=" : "type=ioemu");
}

static int devices_plan(struct toolstack *ts, struct domain_config *config, struct fault *fault)
{
	char place[300];
	int rc = 0;

	for (size_t i = 0; i < config->disks && !rc; i++) {
		device_place(config, config->disk[i].line, "disk", i, place);
		rc = plan_disk(ts, &config->disk[i], place, fault);
		if (!rc)
			rc = images_differ(config, i, place, fault);
	}
	for (size_t i = 0; i < config->vifs && !rc; i++) {
		device_place(config, config->vif[i].line, "vif", i, place);
		rc = card_check(config, &config->vif[i], place, fault);
		if (!rc)
			rc = plan_vif(ts, &config->vif[i], place, fault);
	}
	return rc;
}

int plan_domain(struct toolstack *ts, struct domain_config *config, struct fault *fault)
{
	int rc = claims_name(ts, XBT_NULL, config, fault);

	if (!rc)
		rc = claims_uuid(ts, config, fault);
	if (!rc)
		rc = kernel_plan(config, fault);
	if (!rc)
		rc = memory_plan(ts, config, fault);
	if (!rc)
		rc = tuning_plan(ts, config, fault);
	return rc ? rc : devices_plan(ts, config, fault);
}

/* Only an HVM guest needs something of this host beside its devices. */
static int machine_of_restored(struct domain_config *config, struct fault *fault)
{
	return config->type == DOMAIN_HVM ? model_plan(config, fault) : 0;
}

int plan_restored(struct toolstack *ts, struct domain_config *config, struct fault *fault)
{
	int rc = claims_name(ts, XBT_NULL, config, fault);

	if (!rc)
		rc = claims_uuid(ts, config, fault);
	if (!rc)
		rc = machine_of_restored(config, fault);
	if (!rc)
		rc = memory_plan(ts, config, fault);
	if (!rc)
		rc = tuning_plan(ts, config, fault);
	return rc ? rc : devices_plan(ts, config, fault);
}

int plan_incoming(struct toolstack *ts, struct domain_config *config, struct fault *fault)
{
	char place[300];
	int rc = machine_of_restored(config, fault);

	if (!rc)
		rc = memory_plan(ts, config, fault);
	if (!rc)
		rc = tuning_plan(ts, config, fault);
	for (size_t i = 0; i < config->disks && !rc; i++) {
		if (config->disk[i].script || config->disk[i].remote)
			continue;
		device_place(config, config->disk[i].line, "disk", i, place);
		rc = image_find(&config->disk[i], place, fault);
	}
	for (size_t i = 0; i < config->vifs && !rc; i++) {
		if (config->vif[i].script)
			continue;
		device_place(config, config->vif[i].line, "vif", i, place);
		rc = bridge_check(&config->vif[i], place, fault);
	}
	return rc;
}
