/*
 * console.h - the nodes of a guest's first console, as libxl_console.c writes them.
 */
#pragma once

#include "toolstack/device/device.h"
#include "toolstack/nodes.h"

/** console_device - which device it is. */
struct device console_device(uint16_t domid);

/**
 * console_nodes - compose its nodes.
 * @frame, @port: of the ring that the guest has with the console daemon
 */
void console_nodes(struct nodes *nodes, uint16_t domid, uint64_t frame, uint32_t port);
