/*
 * path.h - what a watch event below backend/CLASS is about. Pure.
 */
#pragma once

#include <stdint.h>

/** What a path names. A node removed with all below it fires for the uppermost alone. */
enum path_scope {
	PATH_OTHER,  /* not below backend/CLASS, or not a number where one belongs */
	PATH_CLASS,  /* backend/vbd: any device of the class */
	PATH_DOMAIN, /* backend/vbd/5: any device of that guest */
	PATH_DEVICE, /* backend/vbd/5/51712 or a node below */
};

/**
 * path_parse - take a watch event's path apart.
 * @class: "vbd"
 * @domid: set for PATH_DOMAIN and PATH_DEVICE
 * @devid: set for PATH_DEVICE
 */
enum path_scope path_parse(const char *path, const char *class, uint16_t *domid, uint32_t *devid);
