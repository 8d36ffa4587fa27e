#include "frontend/process/disk.h"

#include <errno.h>
#include <event2/thread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "frontend/process/host.h"

#define DISK_CLOSE_SECONDS 5

/** So many requests of one transfer are under way at once: enough to keep copies and I/O apart. */
#define PIECES_MAX 4

struct disk {
	struct host host;
	struct event_base *base;
	struct event *woken;
	int wake; /* eventfd */
	struct blkfront *front;
	void (*ended)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_cond_t changed; /* connected, room, ended */
	bool leaving;
	bool finished; /* the device has ended */
	bool dead;     /* the loop has ended: nothing will come any more */
	const char *broken;
	struct piece *completed; /* to be told so; the loop's thread only */
};

/** One request of a transfer. */
struct piece {
	struct transfer *transfer;
	struct blkslot *slot; /* NULL: free */
	atomic_bool done;
	uint64_t at, length; /* of the transfer's bytes */
	struct piece *next;  /* in disk.completed */
};

/** One call of disk_transfer. */
struct transfer {
	struct disk *disk;
	enum blk_operation operation;
	uint8_t *buffer;
	uint64_t offset, length;
	uint64_t next; /* bytes that were put into pieces */
	bool begun;    /* a flush has no bytes to tell */
	unsigned under_way;
	int error;
	bool restart; /* the ring was lost: do all of it again */
	sem_t done;   /* counts pieces */
	struct piece piece[PIECES_MAX];
};

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

static struct piece *piece_free(struct transfer *transfer)
{
	for (int i = 0; i < PIECES_MAX; i++)
		if (!transfer->piece[i].slot)
			return &transfer->piece[i];
	return NULL;
}

static struct piece *piece_done(struct transfer *transfer)
{
	for (int i = 0; i < PIECES_MAX; i++)
		if (transfer->piece[i].slot && atomic_load(&transfer->piece[i].done))
			return &transfer->piece[i];
	return NULL;
}

static uint64_t piece_length(const struct transfer *transfer)
{
	const struct blkinfo *info = blkfront_info(transfer->disk->front);
	uint64_t left = transfer->length - transfer->next;

	if (transfer->operation == BLK_READ || transfer->operation == BLK_WRITE)
		if (info && left > info->request_max)
			return info->request_max;
	return left;
}

/* Return: 0, -EAGAIN when there is no room, -ERESTART when the ring was lost, or what ends the
 * transfer. */
static int piece_begin(struct transfer *transfer, struct piece *piece)
{
	struct disk *disk = transfer->disk;
	int rc;

	if (disk->dead)
		return -ENODEV;
	piece->at = transfer->next;
	piece->length = piece_length(transfer);
	atomic_store(&piece->done, false);
	rc = blkfront_begin(disk->front, transfer->operation, transfer->offset + piece->at,
			    piece->length, piece, &piece->slot);
	if (rc)
		return rc;
	if (transfer->operation == BLK_WRITE) {
		pthread_mutex_unlock(&disk->host.lock);
		blkfront_fill(disk->front, piece->slot, transfer->buffer + piece->at);
		pthread_mutex_lock(&disk->host.lock);
	}
	rc = blkfront_submit(disk->front, piece->slot);
	if (rc) {
		blkfront_end(disk->front, piece->slot);
		piece->slot = NULL;
		return rc;
	}
	transfer->next += piece->length;
	transfer->begun = true;
	transfer->under_way++;
	return 0;
}

/* Begin as many pieces as there is room for; with none under way, wait for room for one. */
static void pieces_begin(struct transfer *transfer)
{
	struct disk *disk = transfer->disk;
	struct piece *piece;

	while (!transfer->error && !transfer->restart &&
	       (!transfer->begun || transfer->next < transfer->length) &&
	       (piece = piece_free(transfer))) {
		int rc = piece_begin(transfer, piece);

		if (rc == -EAGAIN && transfer->under_way)
			break;
		if (rc == -EAGAIN)
			pthread_cond_wait(&disk->changed, &disk->host.lock);
		else if (rc == -ERESTART)
			transfer->restart = true;
		else if (rc)
			transfer->error = rc;
	}
}

/* Wait for one piece and take its data, without the lock; then give its slot back. */
static void piece_finish(struct transfer *transfer)
{
	struct disk *disk = transfer->disk;
	struct piece *piece;
	int status;

	pthread_mutex_unlock(&disk->host.lock);
	while (sem_wait(&transfer->done))
		;
	piece = piece_done(transfer);
	status = piece->slot->status;
	if (!status && transfer->operation == BLK_READ)
		blkfront_drain(disk->front, piece->slot, transfer->buffer + piece->at);
	pthread_mutex_lock(&disk->host.lock);

	if (status == -ERESTART)
		transfer->restart = true;
	else if (status)
		transfer->error = status;
	blkfront_end(disk->front, piece->slot);
	piece->slot = NULL;
	transfer->under_way--;
}

static void transfer_run(struct transfer *transfer)
{
	do {
		transfer->next = 0;
		transfer->begun = transfer->restart = false;
		pieces_begin(transfer);
		while (transfer->under_way) {
			piece_finish(transfer);
			pieces_begin(transfer);
		}
	} while (transfer->restart && !transfer->error);
}

int disk_transfer(struct disk *disk, enum blk_operation operation, void *buffer, uint64_t offset,
		  uint64_t length)
{
	struct transfer transfer = {
		.disk = disk,
		.operation = operation,
		.buffer = buffer,
		.offset = offset,
		.length = length,
	};

	for (int i = 0; i < PIECES_MAX; i++)
		transfer.piece[i].transfer = &transfer;
	sem_init(&transfer.done, 0, 0);
	pthread_mutex_lock(&disk->host.lock);
	transfer_run(&transfer);
	pthread_mutex_unlock(&disk->host.lock);
	sem_destroy(&transfer.done);
	return transfer.error;
}
