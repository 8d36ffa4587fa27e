/*
 * device.h - a backend device as the supervisor sees it: one directory backend/CLASS/DOMID/DEVID.
 *
 * device.c does the handshake for all classes; a class knows what its nodes mean. Everything here
 * runs as root in the supervisor's single loop, so a class must not block on the guest. The
 * frontend's nodes are written by the guest: number_parse them with a bound, copy them into the
 * connect request, keep nothing else.
 *
 * The life of a device, and which nodes are written in which step:
 *
 *   probe, open     hotplug-status=connected (only without a script node)
 *   publish         the class's nodes, state=InitWait, in one transaction
 *   connect         nothing; the worker starts the rings
 *   publish         the class's nodes again, state=Connected, in one transaction
 *   settle, changed what the class says; device_republish for those that the guest must see
 *   connect         again with the same rings when the worker died, nothing is written
 *   disconnected    state=Closing before, state=Closed after
 *   close           the device goes away, or is probed anew after it closed
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/worker/message.h"
#include "backend/xenbus/journal.h"
#include "backend/xenbus/state.h"
#include "lib/log.h"
#include "lib/xs.h"

/** Room for a directory in the store, as in backend/vbd/65535/4294967295. */
#define DEVICE_PATH_SIZE 128

struct device;
struct evbuffer;
struct yajl_gen_t;

/** Who asked for a dump gets a JSON object; called once. */
typedef void (*device_dumped)(void *arg, const char *text);

/** A class of devices on the supervisor's side. */
struct device_class {
	const char *name; /* "vbd": the folder below backend/ */
	enum worker_kind kind;
	struct xenbus_traits traits;
	size_t size; /* bytes of the class's struct, which begins with struct device; zeroed */

	/**
	 * probe - read and check what the toolstack wrote into dev->back, and make what exists
	 * with or without a hotplug script (a vif's TAP).
	 *
	 * Return: 0, or a negative errno after device_fail has said why; close is called then too.
	 */
	int (*probe)(struct device *dev);

	/**
	 * open - open what is behind the device. Without a script node (dev->script is false) it
	 * follows probe at once and does the hotplug itself (open params; join the bridge); with
	 * one it is called when the script has written hotplug-status=connected.
	 *
	 * Return: as probe; or -EINPROGRESS: device_wake will be called, then it is called again.
	 */
	int (*open)(struct device *dev);

	/**
	 * publish - write features and properties, each of them, even when 0, as far as they are
	 * known. Called before InitWait and again before Connected; never revokes a feature. May
	 * run many times, as transactions do.
	 *
	 * Return: 0 or a negative errno of xs_write_*.
	 */
	int (*publish)(struct device *dev, struct xs_handle *xs, xs_transaction_t t);

	/**
	 * connect - read and check the frontend's nodes in dev->front.
	 * @payload: WORKER_PAYLOAD_SIZE zeroed bytes for the worker's half of the class
	 * @fds:     room for FDPASS_MAX descriptors that go along; they stay the class's own
	 * @count:   0 at first, how many of them
	 *
	 * A class whose rings can be taken up by another worker calls device_journal. Then it is
	 * called again, without disconnected in between, when a worker died.
	 *
	 * Return: 0, -EAGAIN (something of the worker before is not over yet: ask again), or a
	 * negative errno after device_fail has said which node is wrong.
	 */
	int (*connect)(struct device *dev, void *payload, int *fds, size_t *count);

	/**
	 * settle - the device's directory may have changed while it is open: see what the toolstack
	 * wants different and do it, a device_change() at a time. Called after every look at the
	 * device; cheap when there is nothing to do. May be NULL.
	 */
	void (*settle)(struct device *dev);

	/**
	 * changed - the worker has answered a device_change; may be NULL with settle.
	 * @change: its number, as device_change gave it: the worker may make one up
	 * @rc:     0, or a negative errno and why in @text
	 */
	void (*changed)(struct device *dev, uint32_t change, int rc, const char *text);

	/**
	 * renew - the worker holds nothing of the device, whose rings will be taken up again in a
	 * moment, with all that has no answer: what is behind it may be exchanged. See
	 * device_renew; NULL if the class does not call it.
	 */
	void (*renew)(struct device *dev);

	/**
	 * fall_back - the rings could not be taken up as renew left the device: undo that.
	 * @why: the worker's words
	 * Return: was there something to undo? Then it is tried once more. May be NULL.
	 */
	bool (*fall_back)(struct device *dev, const char *why);

	/** tick - about a second has passed; only while it is open. May be NULL. */
	void (*tick)(struct device *dev);
	/**
	 * progress - how far the worker has come, as dev->journal says. May be NULL.
	 * @answered: set to a number that grows with every answer
	 * @oldest:   @size bytes: what it was at, in words, when something is unanswered
	 *
	 * Return: is something unanswered? All of it may be a lie of the worker's.
	 */
	bool (*progress)(struct device *dev, uint64_t *answered, char *oldest, size_t size);
	/**
	 * want - the worker needs something; may be NULL.
	 * @what, @why: as of worker_want; the worker may make them up
	 */
	void (*want)(struct device *dev, uint32_t what, const char *why);

	/** tell - members of a JSON object: how it is and what it counts. May be NULL. */
	void (*tell)(struct device *dev, struct yajl_gen_t *json);

	/** metrics - the same of all of the class among @devices, for Prometheus. May be NULL. */
	void (*metrics)(const struct device *devices, struct evbuffer *out);

	/**
	 * dump - ask the worker for the state of its rings. May be NULL.
	 * Return: 0, then @done will be called, from the loop or when the device goes; -ENOTCONN,
	 * -EBUSY (another is under way), or another negative errno.
	 */
	int (*dump)(struct device *dev, device_dumped done, void *arg);

	/** disconnected - the worker has let go, or died; may be NULL. What open made stays. */
	void (*disconnected)(struct device *dev);

	/** close - undo probe and open, as far as they came; idempotent. */
	void (*close)(struct device *dev);
};

/** One device; a class puts it first into its own struct. */
struct device {
	const struct device_class *class;
	struct xs_handle *xs;
	uint16_t domid; /* the frontend's */
	uint32_t devid;
	char name[32];                /* "vbd 5/51712", for the log */
	char back[DEVICE_PATH_SIZE];  /* backend/vbd/5/51712, relative to our domain */
	char front[DEVICE_PATH_SIZE]; /* /local/domain/5/device/vbd/51712 */
	bool script;                  /* the toolstack runs a hotplug script for it */

	/* What follows is device.c's and the supervisor's own. */
	struct xenbus xenbus;
	char error[512];                 /* see device_fail */
	struct log_limit limit, chatter; /* for errors; for coming and going */
	uint32_t serial;                 /* of the connection */
	uint32_t changes;                /* so many were asked of the worker */
	struct journal journal;          /* see device_journal */
	bool recovering;   /* its worker died, another has not said yet that it runs */
	bool careful;      /* and it may have died of a request */
	bool waiting;      /* to be looked at again in a moment */
	unsigned tries;    /* in vain since it began to recover */
	unsigned held;     /* looks that found another worker with its rings */
	unsigned deaths;   /* of workers in a row over the same request */
	uint64_t answered; /* as progress said at the last death */
	bool probed, opened;
	bool trouble;  /* see device_trouble */
	bool renewing; /* see device_renew */
	bool released; /* gone: to be freed */
	bool dirty;    /* to be looked at */
	bool orphan;   /* the frontend's domain is gone, whatever its nodes say */
	struct guest *guest;
	struct device *next;
};

/**
 * device_fail - say why a class's function is going to return @rc: which node or object, what is
 * wrong with it, the remedy; without the device's name. It ends up in the log, in the error node
 * and, before the device is connected, in hotplug-error.
 *
 * Return: @rc, for "return device_fail(dev, rc, ...)".
 */
int device_fail(struct device *dev, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * device_front_number - a number that the frontend wrote, or @missing if there is no such node.
 * @max:    the largest value allowed
 * @value:  set on success only
 * @format: the node below dev->front
 *
 * Return: 0, or a negative errno after device_fail has named the node.
 */
int device_front_number(struct device *dev, uint64_t max, uint64_t missing, uint64_t *value,
			const char *format, ...) __attribute__((format(printf, 5, 6)));

/** device_front_required - the same for a node that must be there. */
int device_front_required(struct device *dev, uint64_t max, uint64_t *value, const char *format,
			  ...) __attribute__((format(printf, 4, 5)));

/**
 * device_journal - for connect: the file that survives the worker, of @size bytes.
 *
 * Return: 0 (dev->journal.fd is to go along with the request), or a negative errno after
 * device_fail. Without it (the run directory is not writable) the log is told, dev->journal.fd is
 * -1, and the device works until its worker dies.
 */
int device_journal(struct device *dev, size_t size);

/** device_front_string - a string that the frontend wrote, for free(3); NULL with errno set. */
char *device_front_string(struct device *dev, const char *node);

/** device_back_string - a string that the toolstack wrote, for free(3); NULL with errno set. */
char *device_back_string(struct device *dev, const char *node);

/** device_wake - what open waits for has come. */
void device_wake(struct device *dev);

/**
 * device_trouble - the device cannot go on now, which may pass: the log and the error node say so,
 * once, until device_recovered.
 */
void device_trouble(struct device *dev, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** device_recovered - take it back; @how it has passed. Nothing if there was no trouble. */
void device_recovered(struct device *dev, const char *how);

/** device_running - do its rings run, and may it be changed? */
bool device_running(const struct device *dev);

/** device_idle - does the worker hold nothing of it? */
bool device_idle(const struct device *dev);

/**
 * device_change - ask the worker of a running device for a change; class->changed gets the answer,
 * or class->disconnected comes first.
 * @payload: @size bytes, at most WORKER_PAYLOAD_SIZE
 * @fds:     stay the caller's
 * @change:  set on success: never 0
 *
 * Return: 0; -ENOTCONN: no worker has it; or a negative errno of guest_request.
 */
int device_change(struct device *dev, const void *payload, size_t size, const int *fds,
		  size_t count, uint32_t *change);

/**
 * device_renew - stop the rings of a running device when what it has begun is done, call
 * class->renew, and take them up again, without the frontend noticing.
 *
 * Return: 0; -ENOTCONN; or -EOPNOTSUPP: it has no in-flight log, which keeps what has not begun.
 */
int device_renew(struct device *dev);

/**
 * device_republish - publish the class's nodes again and write the state again, in one
 * transaction: a frontend that is connected looks at them once more (blkfront: the size).
 *
 * Return: 0 or a negative errno; -ENOTCONN when it has not been announced.
 */
int device_republish(struct device *dev);

/** device_back_write - write a node of the device's own directory, unless that is gone. */
int device_back_write(struct device *dev, const char *node, const char *value);

/*
 * For the supervisor.
 */

/**
 * device_new - a device whose directory was found.
 * @guest: whose worker runs it; must outlive it
 *
 * Return: 0, -ENOENT (the toolstack has not written frontend, frontend-id and state yet), -EINVAL
 * (they contradict the directory's name) or -ENOMEM. *@dev is freed with device_free.
 */
int device_new(struct device **dev, const struct device_class *class, struct xs_handle *xs,
	       struct guest *guest, uint32_t devid);

/** device_free - close the class's things and free it. */
void device_free(struct device *dev);

/**
 * device_update - see what the store says now, and do all that follows. Sets dev->released when
 * there is nothing more to do for it, ever.
 */
void device_update(struct device *dev);

/** device_report - its worker said something about it; a report of an older connection is dropped.
 */
void device_report(struct device *dev, const struct worker_report *report);

/**
 * device_worker_died - its rings are taken up again by another worker, unless they killed too many.
 * @how:   in words: "was killed by signal 9"
 * @fault: nobody else killed it
 */
void device_worker_died(struct device *dev, const char *how, bool fault);

/** device_tick - about a second has passed. */
void device_tick(struct device *dev);

/** device_stop - close it in order because the backend ends. */
void device_stop(struct device *dev);

/** device_stopped - does nothing of the guest's run any more? */
bool device_stopped(const struct device *dev);
