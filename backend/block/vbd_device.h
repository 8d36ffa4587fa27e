/*
 * vbd_device.h - inside the supervisor's half of a vbd: what its files share.
 */
#pragma once

#include "backend/block/settings.h"
#include "backend/block/vbd.h"
#include "backend/block/vbd_stats.h"
#include "backend/block/vbd_storage.h"

/** What the settings' nodes say, each for free(3), or NULL. */
struct vbd_texts {
	char *of[SETTINGS];
};

/** What a change of a running disk is made of, in this order. */
enum vbd_step { VBD_STEP_IMAGE, VBD_STEP_RESIZE, VBD_STEP_SETTINGS, VBD_STEPS };

/** Where a request of the toolstack's to change a running disk has come to. */
struct vbd_settling {
	bool known;        /* answered is */
	uint32_t answered; /* the settings-request that was answered last */
	uint32_t number;   /* the one that is being carried out, or 0 */
	uint32_t refused;  /* one that could not be done, as words say */
	char words[200];
	enum vbd_step step;     /* of it */
	uint32_t change;        /* what the worker was asked to do, or 0 */
	uint64_t size;          /* RESIZE: that it gets */
	bool cut;               /* RESIZE: and then the image */
	struct settings wanted; /* what it shall have */
	struct vbd_texts texts; /* in the toolstack's words */
};

/** A dump that the worker was asked for. */
struct vbd_dumping {
	device_dumped done; /* NULL: none */
	void *arg;
	uint32_t change;
	int fd;
};

/** Other storage, to be put behind the disk; or the one before, until the other is served. */
struct vbd_switch {
	enum { VBD_SWITCH_NONE, VBD_SWITCH_OPENING, VBD_SWITCH_NEXT, VBD_SWITCH_BEFORE } which;
	struct vbd_storage *storage;
	char *params;      /* while it is OPENING */
	uint32_t number;   /* the request that wants it */
	uint64_t answered; /* BEFORE: as vbd_progress said when it still was behind the disk */
};

/** Who counts in units of sector-size what is in units of 512 bytes (blkif.h of 2024). */
enum vbd_units {
	VBD_UNITS_512,    /* nobody */
	VBD_UNITS_COUNT,  /* the sectors node: mini-os */
	VBD_UNITS_NUMBER, /* and sector_number: FreeBSD */
	VBD_UNITS_ALL,    /* and first_sect, last_sect: QEMU, Windows */
};

struct vbd_device {
	struct device dev;
	struct vbd_storage *storage; /* from probe to close */
	struct vbd_switch change;
	unsigned storages; /* so many were made */
	bool discard_told; /* feature-discard is 1, which is never taken back */
	bool erase_told;   /* nor is discard-secure */
	int lease;         /* the worker's descriptor of the image, or -1 */
	bool read_only, cdrom, removable, discard;
	uint32_t queues;      /* it may have, as published */
	uint32_t sector_size; /* that the guest sees: 512, or 4096 on demand */
	enum vbd_units units;
	bool short_told;
	bool resumed; /* of another supervisor: whether the guest knows the size is not looked at */
	struct vbd_stats stats;
	struct vbd_dumping dump;
	unsigned rings;           /* of the last connection */
	size_t ring_journal;      /* bytes of the in-flight log for each */
	struct settings settings; /* that it has */
	struct vbd_texts texts;   /* in the toolstack's words */
	struct vbd_settling settling;
};

/**
 * vbd_front_read - what the frontend's nodes say: .abi, .persistent, .order, .queues and .queue.
 * Return: 0, or a negative errno after device_fail has said which node is wrong.
 */
int vbd_front_read(struct device *dev, struct vbd_connect *connect);

/**
 * vbd_settings_load - the settings in the device's directory become those that it has.
 * Return: 0, or -EINVAL after device_fail has said which is wrong; then it keeps what it had.
 */
int vbd_settings_load(struct device *dev);

/** vbd_settings_resume - the same, as far as they are right: nobody knows what it had. */
void vbd_settings_resume(struct device *dev);

/**
 * vbd_resume - to probe: the guest has its rings, which a supervisor before us ran. What that one
 * was about to change is not in effect, though the toolstack's nodes say so.
 */
void vbd_resume(struct device *dev);

/** vbd_served - what a resumed disk's worker had behind it, as params; for free(3), or NULL. */
char *vbd_served(struct device *dev);

/** vbd_served_write - the worker is about to have it: for the supervisor after us. */
void vbd_served_write(struct device *dev);

/** vbd_resumed - its rings run and nothing is wanted of it: does the guest know its size? */
void vbd_resumed(struct device *dev);

/** vbd_told - what the guest was told of its size, in units of vbd_unit(). Return: was it? */
bool vbd_told(struct device *dev, uint64_t *sectors);

/** vbd_size_told - is that what the guest was told? */
bool vbd_size_told(struct device *dev);

/** vbd_progress - see struct device_class. */
bool vbd_progress(struct device *dev, uint64_t *answered, char *text, size_t size);

/** vbd_remote_want - see struct device_class. */
void vbd_remote_want(struct device *dev, uint32_t what, const char *why);

/** vbd_settings_free - forget them. */
void vbd_settings_free(struct vbd_device *vbd);

/** vbd_settle, vbd_changed - see struct device_class. */
void vbd_settle(struct device *dev);
void vbd_changed(struct device *dev, uint32_t change, int rc, const char *text);

/**
 * vbd_resize - begin what the "resize" node says.
 * Return: 0 (nothing is left to do), -EINPROGRESS (the worker was asked), or another negative errno
 * after device_fail has said why.
 */
int vbd_resize(struct device *dev);

/** vbd_resized - the worker has done it. Return: 0, or as vbd_resize. */
int vbd_resized(struct device *dev);

/** vbd_switch - begin to put the image behind the disk that "params" names. Return: as vbd_resize.
 */
int vbd_switch(struct device *dev);

/** vbd_switch_opening - does the request that is being carried out wait for its new storage? */
bool vbd_switch_opening(const struct device *dev);

/** vbd_switched - its rings run: is that over? Tell the guest what it has now. */
void vbd_switched(struct device *dev);

/** vbd_switch_close - forget the image that is not behind the disk; idempotent. */
void vbd_switch_close(struct vbd_device *vbd);

/** vbd_renew, vbd_fall_back - see struct device_class. */
void vbd_renew(struct device *dev);
bool vbd_fall_back(struct device *dev, const char *why);

/** vbd_ask - ask the worker for the step's change. Return: -EINPROGRESS, or as vbd_resize. */
int vbd_ask(struct device *dev, const struct vbd_change *change, const int *fds, size_t count);

/** vbd_short - its image has lost its end: say so, once. @told, @left: bytes */
void vbd_short(struct device *dev, uint64_t told, uint64_t left);

/** vbd_at_rest - is nothing being changed, and could it be? */
bool vbd_at_rest(const struct device *dev);

/** vbd_tick - see struct device_class. */
void vbd_tick(struct device *dev);

/**
 * vbd_units_read - sector-size and legacy-sector-units as the toolstack wants them: of vbd_units.c.
 * Return: 0, or -EINVAL after device_fail.
 */
int vbd_units_read(struct device *dev);

/**
 * vbd_units_check - would so many bytes of @image be whole sectors, the guest's and the image's?
 * Return: 0, or -EINVAL after device_fail.
 */
int vbd_units_check(struct device *dev, const struct image *image, uint64_t size);

/** vbd_units_measure - image_measure(), but whole sectors. */
int vbd_units_measure(const struct vbd_device *vbd, uint64_t *size);

/** vbd_unit - what the sectors node counts, in bytes. */
uint32_t vbd_unit(const struct vbd_device *vbd);

/** vbd_sectors - the value of the sectors node. */
uint64_t vbd_sectors(const struct vbd_device *vbd);

/** vbd_geometry - the disk as its worker is to see it. */
struct blk_geometry vbd_geometry(const struct vbd_device *vbd);

/** vbd_tell, vbd_metrics, vbd_dump - see struct device_class. */
void vbd_tell(struct device *dev, struct yajl_gen_t *json);
void vbd_metrics(const struct device *devices, struct evbuffer *out);
int vbd_dump(struct device *dev, device_dumped done, void *arg);

/** vbd_dump_end - the dump is there, or @why not; nothing when none was asked for. */
void vbd_dump_end(struct device *dev, const char *why);

/** vbd_unsettle - the worker is gone or let go: what it was asked is to be looked at anew. */
void vbd_unsettle(struct device *dev);
