/*
 * vif.h - a network card's nodes, as libxl_nic.c writes them.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/device/device.h"

/** vif_device - which device a vif is. */
struct device vif_device(uint16_t domid, const struct vif_config *vif);

/** vif_nodes - compose its nodes. Its MAC and its devid are set. */
void vif_nodes(struct nodes *nodes, uint16_t domid, const struct vif_config *vif);
