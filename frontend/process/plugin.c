/*
 * plugin.c - an nbdkit plugin: a guest's disk, through its blkfront, as an NBD export.
 *
 *   nbdkit nbdkit-xsplit-plugin.so device=device/vbd/51712
 *
 * See nbdkit-plugin(3). The device is connected once, however many clients there are.
 */
#define NBDKIT_API_VERSION 2

#include <errno.h>
#include <nbdkit-plugin.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/process/disk.h"
#include "lib/log.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

/** How long a client waits for a disk that is not connected yet. */
#define CONNECT_SECONDS 30
/** NBD clients take it as a hint for how much to ask for at once. */
#define PREFERRED_SIZE  (64 * 1024)
#define TRANSFER_MAX    (32 * 1024 * 1024)

static struct {
	char *path;
	struct disk *disk;
} plugin;

/** What one client was told. */
struct client {
	struct blkinfo info;
};

static void plugin_load(void)
{
	log_open("xsplit-nbd", LOG_LEVEL_INFO);
}

static int plugin_config(const char *key, const char *value)
{
	if (strcmp(key, "device") != 0) {
		nbdkit_error("unknown parameter %s; the only one is device=", key);
		return -1;
	}
	free(plugin.path);
	plugin.path = strdup(value);
	return plugin.path ? 0 : -1;
}

static int plugin_config_complete(void)
{
	if (plugin.path)
		return 0;
	nbdkit_error("device= is missing, such as device=device/vbd/51712");
	return -1;
}

static void disk_ended(void *arg)
{
	nbdkit_shutdown();
}

static int plugin_after_fork(void)
{
	int rc = disk_open(plugin.path, disk_ended, NULL, &plugin.disk);

	if (rc)
		nbdkit_error("%s: %s", plugin.path, strerror(-rc));
	return rc ? -1 : 0;
}

static void plugin_cleanup(void)
{
	if (plugin.disk)
		disk_close(plugin.disk);
	plugin.disk = NULL;
}

static void plugin_unload(void)
{
	free(plugin.path);
}

static void *plugin_open(int readonly)
{
	struct client *client = calloc(1, sizeof(*client));
	int rc;

	if (!client)
		return NULL;
	rc = disk_wait(plugin.disk, CONNECT_SECONDS, &client->info);
	if (!rc)
		return client;
	nbdkit_error("%s: not connected: %s; is its backend running?", plugin.path, strerror(-rc));
	nbdkit_set_error(-rc);
	free(client);
	return NULL;
}

static void plugin_close(void *handle)
{
	free(handle);
}

static int64_t plugin_get_size(void *handle)
{
	const struct client *client = handle;

	return (int64_t)client->info.size;
}

static int plugin_can_write(void *handle)
{
	const struct client *client = handle;

	return !client->info.read_only;
}

static int plugin_can_flush(void *handle)
{
	const struct client *client = handle;

	return client->info.can_flush;
}

static int plugin_can_trim(void *handle)
{
	const struct client *client = handle;

	return client->info.can_discard && !client->info.read_only;
}

static int plugin_is_rotational(void *handle)
{
	return 0;
}

/* A flush on one connection covers what was written on all: they share one ring. */
static int plugin_can_multi_conn(void *handle)
{
	return 1;
}

static int plugin_block_size(void *handle, uint32_t *minimum, uint32_t *preferred,
			     uint32_t *maximum)
{
	const struct client *client = handle;

	*minimum = client->info.sector_size;
	*preferred = PREFERRED_SIZE;
	*maximum = TRANSFER_MAX;
	return 0;
}

static int transfer(enum blk_operation operation, void *buffer, uint64_t offset, uint64_t length)
{
	int rc = disk_transfer(plugin.disk, operation, buffer, offset, length);

	if (!rc)
		return 0;
	nbdkit_set_error(-rc);
	return -1;
}

static int plugin_pread(void *handle, void *buffer, uint32_t count, uint64_t offset, uint32_t flags)
{
	return transfer(BLK_READ, buffer, offset, count);
}

static int plugin_pwrite(void *handle, const void *buffer, uint32_t count, uint64_t offset,
			 uint32_t flags)
{
	return transfer(BLK_WRITE, (void *)buffer, offset, count);
}

static int plugin_flush(void *handle, uint32_t flags)
{
	return transfer(BLK_FLUSH, NULL, 0, 0);
}

static int plugin_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	return transfer(BLK_DISCARD, NULL, offset, count);
}

static struct nbdkit_plugin description = {
	.name = "xsplit",
	.longname = "xsplit blkfront",
	.version = XSPLIT_VERSION,
	.description = "a Xen guest's disk, read and written through its ring",
	.load = plugin_load,
	.unload = plugin_unload,
	.config = plugin_config,
	.config_complete = plugin_config_complete,
	.config_help = "device=<PATH>  (required) the device in XenStore, such as device/vbd/51712",
	.magic_config_key = "device",
	.after_fork = plugin_after_fork,
	.cleanup = plugin_cleanup,
	.open = plugin_open,
	.close = plugin_close,
	.get_size = plugin_get_size,
	.can_write = plugin_can_write,
	.can_flush = plugin_can_flush,
	.can_trim = plugin_can_trim,
	.is_rotational = plugin_is_rotational,
	.can_multi_conn = plugin_can_multi_conn,
	.block_size = plugin_block_size,
	.pread = plugin_pread,
	.pwrite = plugin_pwrite,
	.flush = plugin_flush,
	.trim = plugin_trim,
};

NBDKIT_REGISTER_PLUGIN(description)
