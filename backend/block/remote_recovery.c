/* What an NBD server has answered and may still lose: kept, flushed in time, and written again. */
#include <errno.h>
#include <string.h>

#include "backend/block/remote_internal.h"

static unsigned under_way(const struct remote *remote)
{
	unsigned count = 0;

	for (unsigned n = 0; n < remote->connections; n++)
		count += remote->connection[n].running;
	return count;
}

void recovery_begin(struct remote *remote)
{
	struct recovery *recovery = &remote->recovery;

	recovery->needed = remote->unflushed.next > remote->unflushed.first;
	recovery->stale = recovery->writing;
	recovery->entry = remote->unflushed.first;
	recovery->done = 0;
}

/* What is to be written again next, of this entry or of those behind it. Return: how many bytes. */
static uint32_t piece_next(struct remote *remote, uint64_t *offset, uint8_t **data)
{
	struct recovery *recovery = &remote->recovery;
	uint32_t length;

	for (; recovery->entry < unflushed_mark(&remote->unflushed); recovery->entry++) {
		length = unflushed_piece(&remote->unflushed, recovery->entry, &recovery->done,
					 offset, data);
		if (length)
			return length;
		recovery->done = 0;
	}
	return 0;
}

bool recovery_step(struct remote *remote)
{
	struct recovery *recovery = &remote->recovery;
	struct remote_command *write = &recovery->write;
	struct connection *connection;

	if (!recovery->needed)
		return false;
	if (recovery->writing ||
	    under_way(remote)) /* what it overlaps is newer, and must come after */
		return true;
	if (recovery->entry < remote->unflushed.first) { /* flushed meanwhile */
		recovery->entry = remote->unflushed.first;
		recovery->done = 0;
	}
	connection = connection_pick(remote);
	if (!connection)
		return true;
	write->op = ENGINE_WRITE;
	write->length = piece_next(remote, &write->offset, &write->buffer);
	if (!write->length) {
		recovery->needed = false;
		return false;
	}
	if (write->length > remote->length_max)
		write->length = remote->length_max;
	recovery->writing = true;
	remote_send(connection, write);
	return true;
}

bool recovery_is(const struct remote *remote, const struct remote_command *command)
{
	return command == &remote->recovery.write || command == &remote->recovery.flush;
}

bool recovery_lost(struct remote *remote, const struct remote_command *command)
{
	if (command == &remote->recovery.flush)
		remote->recovery.flushing = false;
	else if (command == &remote->recovery.write)
		remote->recovery.writing = false;
	else if (command->op == ENGINE_WRITE)
		unflushed_break(&remote->unflushed, (uint32_t)command->length);
	return !recovery_is(remote, command);
}

/* Nobody waits for it: the guest hears of it from its next flush, as from a disk of its own. */
static void remember(struct remote *remote, int rc, const char *what)
{
	log_error("%s: %s failed: %s; the guest's next flush tells it", remote->name, what,
		  strerror(-rc));
	if (!remote->recovery.flush_rc)
		remote->recovery.flush_rc = rc;
}

static void written(struct remote *remote)
{
	struct recovery *recovery = &remote->recovery;

	recovery->writing = false;
	if (!recovery->stale)
		recovery->done += (uint32_t)recovery->write.length;
	recovery->stale = false;
}

void recovery_done(struct remote *remote, struct remote_command *command)
{
	if (command == &remote->recovery.write) {
		if (command->rc)
			remember(remote, command->rc,
				 "writing again what its server may have lost");
		written(remote);
		return;
	}
	remote->recovery.flushing = false;
	if (command->rc && command->rc != -ENOTCONN) /* abandoned */
		remember(remote, command->rc, "a flush");
	unflushed_drop(&remote->unflushed, command->mark);
}

/* A flush of ours. */
static void flush_first(struct remote *remote)
{
	struct recovery *recovery = &remote->recovery;

	recovery->flushing = true;
	recovery->flush.op = ENGINE_FLUSH;
	TAILQ_INSERT_HEAD(&remote->waiting, &recovery->flush, entry);
}

void recovery_open(struct remote *remote)
{
	if (!remote->read_only)
		flush_first(remote);
}

bool recovery_admit(struct remote *remote, struct remote_command *command)
{
	if (command->op == ENGINE_FLUSH)
		command->mark = unflushed_mark(&remote->unflushed);
	if (command->op != ENGINE_WRITE)
		return true;
	/* Before the journal is full. */
	if (!remote->recovery.flushing && unflushed_half(&remote->unflushed))
		flush_first(remote);
	return TAILQ_FIRST(&remote->waiting) == command &&
	       unflushed_promise(&remote->unflushed, (uint32_t)command->length);
}

void recovery_note(struct remote *remote, struct remote_command *command)
{
	struct recovery *recovery = &remote->recovery;

	if (command->op == ENGINE_FLUSH && !command->rc) {
		unflushed_drop(&remote->unflushed, command->mark);
		command->rc = recovery->flush_rc;
		recovery->flush_rc = 0;
	}
	if (command->op != ENGINE_WRITE)
		return;
	if (command->rc || !command->connection->forgets)
		unflushed_break(&remote->unflushed, (uint32_t)command->length);
	else
		unflushed_add(&remote->unflushed, command->offset, command->buffer,
			      (uint32_t)command->length);
}
