/*
 * claims.h - what running domains have for themselves: images they write, addresses, names.
 *
 * The index (device/index.h) tells which domains to ask, however many there are; those that it does
 * not know are all asked. What counts is in the private directories /libxl/N/device, which no guest
 * can change. A plan asks once for a good message, the creating transaction asks again so that of
 * two creates at the same time one loses.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/**
 * claims_image - does another domain use the image in a way that goes not together with ours?
 * @place: what the message begins with
 * Return: 0, or -EBUSY: both would write, or one writes what the other reads.
 */
int claims_image(struct toolstack *ts, xs_transaction_t t, const struct disk_config *disk,
		 const char *place, struct fault *fault);

/** claims_mac - has another domain a vif of this address? Return: 0 or -EEXIST. */
int claims_mac(struct toolstack *ts, xs_transaction_t t, const struct vif_config *vif,
	       const char *place, struct fault *fault);

/** claims_name - has another domain this name? Return: 0 or -EEXIST. */
int claims_name(struct toolstack *ts, xs_transaction_t t, const struct domain_config *config,
		struct fault *fault);

/** claims_uuid - has another domain the config's UUID? Return: 0 or -EEXIST. */
int claims_uuid(struct toolstack *ts, const struct domain_config *config, struct fault *fault);

/** claims_all - name, UUID, images and addresses of a config. */
int claims_all(struct toolstack *ts, xs_transaction_t t, const struct domain_config *config,
	       struct fault *fault);

/** images_same - do two paths name one file or one block device? */
bool images_same(const char *a, const char *b);
