/*
 * store.h - what a host's first process does to the store and the guests. Each runs in a process
 * of its own, with dom0's environment, and says what failed.
 */
#pragma once

/**
 * store_furnish - write the nodes that xen-init-dom0 writes on Xen.
 * Return: 0 or a negative errno.
 */
int store_furnish(void);

/**
 * guests_destroy - destroy every domain but dom0, and end the device models (QEMU) that served
 * them: who would know of those is the store that was lost. Return: 0 or a negative errno.
 */
int guests_destroy(void);
