/*
 * vbd.h - a disk's nodes, as libxl_disk.c writes them.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/device/device.h"

/** vbd_device - which device a disk is: backend/vbd or backend/qdisk. */
struct device vbd_device(uint16_t domid, const struct disk_config *disk);

/** vbd_params - what its "params" node says, for free(3), or NULL. @disk->target is absolute. */
char *vbd_params(const struct disk_config *disk);

/** vbd_nodes - compose its nodes. @disk->target is absolute. */
void vbd_nodes(struct nodes *nodes, uint16_t domid, const struct disk_config *disk);
