#include "frontend/process/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <xen/io/xenbus.h>

#include "lib/number.h"
#include "lib/xs.h"

/** More devices of one class than this are not looked at. */
#define DEVICES_MAX 256u

struct drive {
	struct export export;
	bool seen; /* in the last scan */
	LIST_ENTRY(drive) link;
};

struct card {
	struct devices *devices;
	uint32_t number;
	struct vif *vif; /* NULL: ended or could not be started */
	bool seen, ended;
	LIST_ENTRY(card) link;
};

static uint64_t state_of(struct devices *devices, const char *class, uint32_t number)
{
	uint64_t state;

	if (xs_read_number(devices->host->xs, XBT_NULL, XenbusStateReconfigured, &state,
			   "device/%s/%" PRIu32 "/state", class, number))
		return XenbusStateUnknown;
	return state;
}

static struct drive *drive_find(struct devices *devices, uint32_t number)
{
	struct drive *drive;

	LIST_FOREACH (drive, &devices->drives, link)
		if (drive->export.device == number)
			return drive;
	return NULL;
}

static struct card *card_find(struct devices *devices, uint32_t number)
{
	struct card *card;

	LIST_FOREACH (card, &devices->cards, link)
		if (card->number == number)
			return card;
	return NULL;
}

/* A device that ended stays known until its directory goes, lest it be started for ever; one in
 * state Initialising is a new one in the old place. */
static void drive_look(struct devices *devices, uint32_t number)
{
	struct drive *drive = drive_find(devices, number);
	uint64_t state = state_of(devices, "vbd", number);

	if (!drive) {
		drive = calloc(1, sizeof(*drive));
		if (!drive)
			return;
		drive->export.device = number;
		LIST_INSERT_HEAD(&devices->drives, drive, link);
		export_start(&drive->export);
	} else if (!drive->export.pid && state == XenbusStateInitialising) {
		drive->export = (struct export){.device = number};
		export_start(&drive->export);
	}
	drive->seen = true;
	export_refresh(&drive->export, devices->host->xs, state);
}

static void card_ended(void *arg)
{
	struct card *card = arg;

	card->ended = true;
	event_active(card->devices->ended_card, EV_TIMEOUT, 0);
}

static void card_start(struct card *card)
{
	card->ended = false;
	vif_open(card->devices->host, card->number, card->devices->options, card_ended, card,
		 &card->vif);
}

static void card_look(struct devices *devices, uint32_t number)
{
	struct card *card = card_find(devices, number);

	if (!card) {
		card = calloc(1, sizeof(*card));
		if (!card)
			return;
		card->devices = devices;
		card->number = number;
		LIST_INSERT_HEAD(&devices->cards, card, link);
		card_start(card);
	} else if (card->ended && !card->vif &&
		   state_of(devices, "vif", number) == XenbusStateInitialising) {
		card_start(card);
	}
	card->seen = true;
}

static void class_scan(struct devices *devices, const char *path,
		       void (*look)(struct devices *devices, uint32_t number))
{
	unsigned count = 0;
	char **names = xs_directory(devices->host->xs, XBT_NULL, path, &count);

	if (!names)
		return;
	for (unsigned i = 0; i < count && i < DEVICES_MAX; i++) {
		uint32_t number;

		if (!number_parse_u32(names[i], &number))
			look(devices, number);
	}
	free(names);
}

/* What is gone from the store must not be waited for: its backend is gone as well. */
static void gone_end(struct devices *devices)
{
	struct drive *drive, *next_drive;
	struct card *card, *next_card;

	for (drive = LIST_FIRST(&devices->drives); drive; drive = next_drive) {
		next_drive = LIST_NEXT(drive, link);
		if (drive->seen)
			continue;
		if (drive->export.pid) {
			if (!drive->export.leaving)
				export_stop(&drive->export, false);
			continue;
		}
		LIST_REMOVE(drive, link);
		free(drive);
	}
	for (card = LIST_FIRST(&devices->cards); card; card = next_card) {
		next_card = LIST_NEXT(card, link);
		if (card->seen)
			continue;
		if (card->vif)
			vif_close(card->vif);
		LIST_REMOVE(card, link);
		free(card);
	}
}

static void devices_scan(evutil_socket_t fd, short what, void *arg)
{
	struct devices *devices = arg;
	struct drive *drive;
	struct card *card;

	if (devices->leaving)
		return;
	LIST_FOREACH (drive, &devices->drives, link)
		drive->seen = false;
	LIST_FOREACH (card, &devices->cards, link)
		card->seen = false;
	class_scan(devices, "device/vbd", drive_look);
	class_scan(devices, "device/vif", card_look);
	gone_end(devices);
}

/* Every node written below device/ makes the watch fire: one scan is enough for all that came. */
static void device_changed(void *arg)
{
	struct devices *devices = arg;

	event_active(devices->scan, EV_TIMEOUT, 0);
}

static void gone_check(struct devices *devices)
{
	struct drive *drive;
	struct card *card;

	if (!devices->leaving)
		return;
	LIST_FOREACH (drive, &devices->drives, link)
		if (drive->export.pid)
			return;
	LIST_FOREACH (card, &devices->cards, link)
		if (card->vif)
			return;
	devices->gone(devices->arg);
}

static void cards_free(evutil_socket_t fd, short what, void *arg)
{
	struct devices *devices = arg;
	struct card *card;

	LIST_FOREACH (card, &devices->cards, link) {
		if (!card->ended || !card->vif)
			continue;
		vif_close(card->vif);
		card->vif = NULL;
	}
	event_active(devices->scan, EV_TIMEOUT, 0);
	gone_check(devices);
}

int devices_open(struct devices *devices, struct host *host, const struct options *options,
		 void (*gone)(void *arg), void *arg)
{
	devices->host = host;
	devices->options = options;
	devices->gone = gone;
	devices->arg = arg;
	devices->scan = evtimer_new(host->base, devices_scan, devices);
	devices->ended_card = evtimer_new(host->base, cards_free, devices);
	if (!devices->scan || !devices->ended_card)
		return -ENOMEM;
	return host->platform.ops->store_watch(&host->platform, "device", device_changed, devices,
					       &devices->watch);
}

void devices_child(struct devices *devices, pid_t pid, int status)
{
	struct drive *drive;

	LIST_FOREACH (drive, &devices->drives, link) {
		if (drive->export.pid == pid) {
			export_ended(&drive->export, devices->host->xs, status);
			break;
		}
	}
	event_active(devices->scan, EV_TIMEOUT, 0);
	gone_check(devices);
}

void devices_leave(struct devices *devices)
{
	struct drive *drive;
	struct card *card;

	devices->leaving = true;
	LIST_FOREACH (drive, &devices->drives, link) {
		export_stop(&drive->export, false);
		export_refresh(&drive->export, devices->host->xs, XenbusStateClosing);
	}
	LIST_FOREACH (card, &devices->cards, link)
		if (card->vif)
			vif_leave(card->vif);
	gone_check(devices);
}

static void drive_free(struct devices *devices, struct drive *drive)
{
	pid_t pid = drive->export.pid;
	int status = 0;

	if (pid) {
		export_stop(&drive->export, true);
		waitpid(pid, &status, 0);
		export_ended(&drive->export, devices->host->xs, status);
	}
	free(drive);
}

void devices_close(struct devices *devices)
{
	struct drive *drive, *next_drive;
	struct card *card, *next_card;

	for (drive = LIST_FIRST(&devices->drives); drive; drive = next_drive) {
		next_drive = LIST_NEXT(drive, link);
		drive_free(devices, drive);
	}
	for (card = LIST_FIRST(&devices->cards); card; card = next_card) {
		next_card = LIST_NEXT(card, link);
		if (card->vif)
			vif_close(card->vif);
		free(card);
	}
	if (devices->watch)
		devices->host->platform.ops->store_unwatch(&devices->host->platform,
							   devices->watch);
	if (devices->scan)
		event_free(devices->scan);
	if (devices->ended_card)
		event_free(devices->ended_card);
}
