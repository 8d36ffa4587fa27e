#include "toolstack/domain/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "toolstack/device/console.h"
#include "toolstack/device/index.h"
#include "toolstack/device/model.h"
#include "toolstack/device/vbd.h"
#include "toolstack/device/vif.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"

static void guest_writes(struct nodes *nodes, const char *dir, uint16_t domid)
{
	static const char *const names[] = {
		"control/shutdown",
		"control/feature-poweroff",
		"control/feature-reboot",
		"control/feature-suspend",
		"control/sysrq",
		"device/suspend/event-channel",
		"data",
		"drivers",
		"feature",
		"attr",
		"error",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		nodes_dir(nodes, domid, NODES_NO_READER, "%s/%s", dir, names[i]);
}

static void guest_reads(struct nodes *nodes, const char *dir, uint16_t domid)
{
	static const char *const names[] = {"cpu", "memory", "device", "control", "store"};

	nodes_dir(nodes, 0, domid, "%s", dir);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		nodes_dir(nodes, 0, domid, "%s/%s", dir, names[i]);
}

static void cpus_add(struct nodes *nodes, const char *dir, const struct domain_config *config)
{
	char name[48];

	for (uint32_t i = 0; i < config->maxvcpus; i++) {
		snprintf(name, sizeof(name), "cpu/%" PRIu32 "/availability", i);
		nodes_add(nodes, dir, name, i < config->vcpus ? "online" : "offline");
	}
}

static void local_add(struct nodes *nodes, const struct domain_config *config,
		      const struct layout *layout, const char *vm)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/local/domain/%u", layout->domid);
	guest_reads(nodes, dir, layout->domid);
	guest_writes(nodes, dir, layout->domid);
	nodes_add(nodes, dir, "vm", "%s", vm);
	nodes_add(nodes, dir, "name", "%s", config->name);
	nodes_add(nodes, dir, "domid", "%u", layout->domid);
	nodes_add(nodes, dir, "control/platform-feature-multiprocessor-suspend", "1");
	nodes_add(nodes, dir, "control/platform-feature-xs_reset_watches", "1");
	nodes_add(nodes, dir, "memory/static-max", "%" PRIu64, config->maxmem_kib);
	nodes_add(nodes, dir, "memory/target", "%" PRIu64, config->memory_kib - layout->video_kib);
	nodes_add(nodes, dir, "memory/videoram", "%" PRIu64, layout->video_kib);
	nodes_add(nodes, dir, "store/port", "%" PRIu32, layout->xenstore_port);
	nodes_add(nodes, dir, "store/ring-ref", "%" PRIu64, layout->built.xenstore_frame);
	cpus_add(nodes, dir, config);
	/* For the toolstack of a domain that serves others (libxl_create.c). */
	if (config_flag(config, OPTION_DRIVER_DOMAIN, false))
		nodes_dir(nodes, layout->domid, NODES_NO_READER, "%s/libxl", dir);
}

void layout_domain(struct nodes *nodes, const struct domain_config *config,
		   const struct layout *layout)
{
	char uuid[UUID_STR_LEN], vm[64], private[32];

	uuid_unparse_lower(config->uuid, uuid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	snprintf(private, sizeof(private), "/libxl/%u", layout->domid);
	local_add(nodes, config, layout, vm);

	nodes_dir(nodes, 0, layout->domid, "%s", vm);
	nodes_add(nodes, vm, "uuid", "%s", uuid);
	nodes_add(nodes, vm, "name", "%s", config->name);
	nodes_add(nodes, vm, "image/ostype", config->type == DOMAIN_HVM ? "hvm" : "linux");
	if (config->kernel)
		nodes_add(nodes, vm, "image/kernel", "%s", config->kernel);
	if (config->ramdisk)
		nodes_add(nodes, vm, "image/ramdisk", "%s", config->ramdisk);
	nodes_add(nodes, vm, "image/cmdline", "%s", config->cmdline);
	nodes_add(nodes, vm, "start_time", "%lld.00", (long long)time(NULL));

	nodes_dir(nodes, 0, NODES_NO_READER, "%s", private);
	/* To libxl a process is a PV guest. */
	nodes_add(nodes, private, "type", "%s",
		  config->type == DOMAIN_PROCESS ? "pv" : domain_type_word(config->type));
	if (config->type == DOMAIN_HVM)
		model_nodes(nodes, config, layout->domid, layout->bios);
}

void layout_devices(struct nodes *nodes, const struct domain_config *config,
		    const struct layout *layout)
{
	console_nodes(nodes, layout->domid, layout->built.console_frame, layout->console_port);
	for (size_t i = 0; i < config->disks; i++)
		vbd_nodes(nodes, layout->domid, &config->disk[i]);
	for (size_t i = 0; i < config->vifs; i++)
		vif_nodes(nodes, layout->domid, &config->vif[i]);
}

void layout_record(struct nodes *nodes, const struct domain_config *config, uint16_t domid,
		   const char *text)
{
	char path[NAME_PATH_SIZE];

	name_path(config->name, path);
	nodes_add(nodes, "/tool/xsplit/name", path + sizeof("/tool/xsplit/name/") - 1, "%u", domid);
	record_config(nodes, domid, text);
	index_config_nodes(nodes, domid, config);
}
