/* A transfer: cut into pieces, several of them under way at once. */
#include <errno.h>

#include "frontend/process/disk_internal.h"

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
