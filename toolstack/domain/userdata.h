/*
 * userdata.h - what libxl keeps of each domain in files, so that xl knows ours too.
 *
 *   userdata-d.N.UUID.libxl-json  its config (libxl_json.h), with a NUL at the end
 *
 * in $XSPLIT_USERDATADIR, or /var/lib/xen, where libxl has it (libxl__userdata_path of
 * libxl_dom.c). It is for others alone: where the directory is not there or cannot be written,
 * nothing is kept and our own commands miss nothing.
 */
#pragma once

#include <stdint.h>
#include <uuid/uuid.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/** userdata_write - keep the config of a domain that nobody else knows yet. */
void userdata_write(struct toolstack *ts, uint16_t domid, const struct domain_config *config);

/**
 * userdata_follow - keep what the domain's record has as its config now, after a change of it.
 * Under libxl's lock, for which it waits two seconds at most. Nothing for a domain of another
 * toolstack.
 */
void userdata_follow(struct toolstack *ts, uint16_t domid);

/**
 * userdata_read - what is kept of a domain, by whom ever.
 * Return: the text, for free(3), or NULL: nothing, or more than a megabyte.
 */
char *userdata_read(uint16_t domid, const uuid_t uuid);

/** userdata_remove - remove what libxl, xl and libvirt may have kept of a domain as well. */
void userdata_remove(uint16_t domid, const uuid_t uuid);

/** userdata_dir - where they are. */
const char *userdata_dir(void);

/**
 * userdata_parse - whose is the file of this name?
 * Return: 0 with @domid and @uuid set, or -EINVAL: it is no such file.
 */
int userdata_parse(const char *name, uint16_t *domid, uuid_t uuid);
