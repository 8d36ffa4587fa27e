/*
 * index.h - who has which image and which address, so that a new guest asks no other one for them.
 *
 *   /tool/xsplit/index/vbd/KEY/N-DEV      an image of that key is domain N's disk DEV; its value is
 * the disk's params /tool/xsplit/index/vif/KEY/N-DEVID    an address is domain N's card DEVID's
 *   /tool/xsplit/index/domain/N-TAG       all devices of this domain are here; TAG is made of its
 * UUID
 *   .../N-TAG/KIND-DEV@KEY                each of their nodes, to find it when it goes
 *
 * Each is written and removed in the transaction that writes or removes the device. So a domain is
 * here whole or not at all: what is not here, another toolstack's or an older version's, is asked
 * itself. What another toolstack does to a domain that is here xsplitd puts here (index_follow()).
 * That is why a missing node would be two writers of one image, and a stale one, which counts for
 * nothing, only waste; xsplit doctor finds both.
 *
 * An image has two keys: its path, and the file or block device that the path led to when the disk
 * was made. So hard links, other names of a block device, a file that was moved away and one that
 * another took the place of are all found.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/device/device.h"
#include "toolstack/goners.h"

#define INDEX_PATH "/tool/xsplit/index"

/** Room for the name of a domain here, and for a key. */
#define INDEX_MARK_SIZE 24
#define INDEX_KEY_SIZE  64

/** index_mark - "N-TAG". Pure. */
void index_mark(uint16_t domid, const uuid_t uuid, char mark[INDEX_MARK_SIZE]);

/** index_target - the path in a disk's params, which may begin with a format. Pure. */
const char *index_target(const char *params);

/** What an image is found by. */
struct index_image {
	char path[INDEX_KEY_SIZE];
	char file[INDEX_KEY_SIZE]; /* "": there is no such file on this host */
};

/** index_image - the keys of an image. @target: as index_target() has it */
void index_image(const char *target, struct index_image *image);

/** index_mac - the key of an address. Pure. */
void index_mac(const uint8_t mac[MAC_SIZE], char key[INDEX_KEY_SIZE]);

/** Compose the nodes of a domain, of one disk with these params, of one card. */
void index_domain_nodes(struct nodes *nodes, uint16_t domid, const uuid_t uuid);
void index_disk_nodes(struct nodes *nodes, const char *mark, uint16_t domid, uint32_t id,
		      const char *params);
void index_vif_nodes(struct nodes *nodes, const char *mark, uint16_t domid, uint32_t id,
		     const uint8_t mac[MAC_SIZE]);

/** index_config_nodes - compose those of a new domain and all its devices. */
void index_config_nodes(struct nodes *nodes, uint16_t domid, const struct domain_config *config);

/**
 * index_device_write - what is here of a device becomes this, if its domain is here at all.
 * @params: of a disk
 * @mac:    of a card
 * Return: 0 or -errno.
 */
int index_device_write(struct toolstack *ts, xs_transaction_t t, const struct device *device,
		       const char *params, const uint8_t *mac);

/** index_device_remove - what is here of a device, if anything is. Return: 0 or -errno. */
int index_device_remove(struct xs_handle *xs, xs_transaction_t t, const struct device *device);

/** index_mark_remove - a mark with all its nodes. Return: 0 or -errno. */
int index_mark_remove(struct xs_handle *xs, xs_transaction_t t, const char *mark);

/** index_domain_goners - all that is here of a domain of that number goes, or with @goners will. */
void index_domain_goners(struct xs_handle *xs, xs_transaction_t t, uint16_t domid,
			 struct goners *goners);

/** index_domain_remove - the same, by itself. Return: 0 or -errno. */
int index_domain_remove(struct xs_handle *xs, xs_transaction_t t, uint16_t domid);

/** index_has - does a mark have a device as its private directory has it now? */
bool index_has(struct xs_handle *xs, xs_transaction_t t, const char *mark,
	       const struct device *device);

/**
 * index_follow - put a domain that is here right again when another toolstack gave it devices or
 * took them, of which it writes nothing here.
 * @uuid:   Xen's
 * @before: called in the transaction that does, while the index has what it had.
 *          Return: 0, or -errno and nothing is done.
 * Return: 1 (it was not right), 0, or -errno.
 */
int index_follow(struct toolstack *ts, uint16_t domid, const uuid_t uuid,
		 int (*before)(xs_transaction_t t, const char *mark, void *arg), void *arg);

/**
 * index_domain_rebuild - put a domain here as its private directories have it now, and nothing else
 * of that number. @uuid: Xen's. Return: 0 or -errno.
 */
int index_domain_rebuild(struct xs_handle *xs, xs_transaction_t t, uint16_t domid,
			 const uuid_t uuid);
