#include "frontend/process/disk_internal.h"

#include <errno.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define DISK_CLOSE_SECONDS 5

/* Whoever is woken wants the lock at once, so they are woken when it is free. */
static void disk_released(void *arg)
{
	struct disk *disk = arg;

	while (disk->completed) {
		struct piece *piece = disk->completed;

		disk->completed = piece->next;
		sem_post(&piece->transfer->done);
	}
}

static void disk_woken(evutil_socket_t fd, short what, void *arg)
{
	struct disk *disk = arg;
	eventfd_t count;

	eventfd_read(disk->wake, &count);
	pthread_mutex_lock(&disk->host.lock);
	if (disk->broken)
		blkfront_leave(disk->front, disk->broken);
	if (disk->leaving) {
		blkfront_leave(disk->front, NULL);
		if (disk->finished)
			event_base_loopbreak(disk->base);
	}
	pthread_mutex_unlock(&disk->host.lock);
	disk_released(disk);
}

static void front_changed(void *arg)
{
	struct disk *disk = arg;

	pthread_cond_broadcast(&disk->changed);
}

static void front_completed(void *arg, struct blkslot *slot)
{
	struct disk *disk = arg;
	struct piece *piece = slot->owner;

	atomic_store(&piece->done, true);
	piece->next = disk->completed;
	disk->completed = piece;
}

static void front_broken(void *arg, const char *reason)
{
	struct disk *disk = arg;

	disk->broken = reason;
	eventfd_write(disk->wake, 1);
}

static void front_ended(void *arg)
{
	struct disk *disk = arg;

	disk->finished = true;
	pthread_cond_broadcast(&disk->changed);
	if (disk->leaving)
		event_base_loopbreak(disk->base);
	else
		disk->ended(disk->arg);
}

static const struct blkfront_events front_events = {
	.changed = front_changed,
	.completed = front_completed,
	.room = front_changed,
	.broken = front_broken,
	.ended = front_ended,
};

static void *disk_run(void *arg)
{
	struct disk *disk = arg;
	bool lost;

	event_base_dispatch(disk->base);
	pthread_mutex_lock(&disk->host.lock);
	lost = !disk->leaving && !disk->finished;
	disk->dead = true;
	if (lost)
		blkfront_stop(disk->front);
	pthread_cond_broadcast(&disk->changed);
	pthread_mutex_unlock(&disk->host.lock);
	disk_released(disk);
	if (lost)
		disk->ended(disk->arg);
	return NULL;
}

/* The program's signals are for its main thread. */
static int thread_start(struct disk *disk)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&disk->thread, NULL, disk_run, disk);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void disk_free(struct disk *disk)
{
	if (disk->front)
		blkfront_destroy(disk->front);
	if (disk->woken)
		event_free(disk->woken);
	if (disk->host.platform.ops)
		host_close(&disk->host);
	if (disk->base)
		event_base_free(disk->base);
	if (disk->wake >= 0)
		close(disk->wake);
	pthread_cond_destroy(&disk->changed);
	free(disk);
}

static void cond_make(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

static int loop_make(struct disk *disk)
{
	disk->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (disk->wake < 0)
		return -errno;
	disk->base = event_base_new();
	if (!disk->base)
		return -ENOMEM;
	disk->woken = event_new(disk->base, disk->wake, EV_READ | EV_PERSIST, disk_woken, disk);
	if (!disk->woken || event_add(disk->woken, NULL))
		return -ENOMEM;
	return 0;
}

int disk_open(const char *path, void (*ended)(void *arg), void *arg, struct disk **opened)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	int rc;

	if (!disk)
		return -ENOMEM;
	disk->ended = ended;
	disk->arg = arg;
	cond_make(&disk->changed);
	evthread_use_pthreads();
	rc = loop_make(disk);
	if (rc)
		goto out;
	disk->host.released = disk_released;
	disk->host.released_arg = disk;
	rc = host_open(&disk->host, disk->base);
	if (rc) {
		memset(&disk->host, 0, sizeof(disk->host));
		goto out;
	}
	rc = blkfront_create(&disk->host.platform, path, &front_events, disk, &disk->front);
	if (!rc)
		rc = thread_start(disk);
	if (rc) {
		log_error("%s: cannot begin: %s; is it in XenStore with backend and backend-id?",
			  path, strerror(-rc));
		goto out;
	}
	*opened = disk;
	return 0;
out:
	disk_free(disk);
	return rc;
}

static struct timespec deadline_in(unsigned seconds)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += seconds;
	return deadline;
}

void disk_close(struct disk *disk)
{
	struct timespec deadline = deadline_in(DISK_CLOSE_SECONDS);
	int rc = 0;

	pthread_mutex_lock(&disk->host.lock);
	disk->leaving = true;
	eventfd_write(disk->wake, 1);
	while (!disk->dead && !rc)
		rc = pthread_cond_timedwait(&disk->changed, &disk->host.lock, &deadline);
	pthread_mutex_unlock(&disk->host.lock);
	event_base_loopbreak(disk->base);
	pthread_join(disk->thread, NULL);
	disk_free(disk);
}

int disk_wait(struct disk *disk, unsigned seconds, struct blkinfo *info)
{
	struct timespec deadline = deadline_in(seconds);
	const struct blkinfo *found;
	int rc = 0;

	pthread_mutex_lock(&disk->host.lock);
	while (!(found = blkfront_info(disk->front)) && !rc) {
		if (disk->dead || blkfront_ended(disk->front))
			rc = ENODEV;
		else
			rc = pthread_cond_timedwait(&disk->changed, &disk->host.lock, &deadline);
	}
	if (found)
		*info = *found;
	pthread_mutex_unlock(&disk->host.lock);
	return found ? 0 : -rc;
}
