/*
 * engine.h - where a disk's bytes are: four operations, each finished by a call from the loop.
 *
 * An engine serves one queue and lives in the queue's libevent loop. It never blocks it: a file's
 * engine is io_uring, or a few threads where io_uring is forbidden; an NBD server's is libnbd; the
 * null engine reads zeros and forgets writes. Operations may finish in any order. Ordering is the
 * queue's business: a flush covers what had finished before it was started.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;
struct engine_io;

/** engine_done - @rc is 0 when all bytes were moved, or a negative errno. */
typedef void (*engine_done)(struct engine_io *io, int rc);

enum engine_op { ENGINE_READ, ENGINE_WRITE, ENGINE_FLUSH, ENGINE_DISCARD, ENGINE_ERASE };

/** One operation under way; owned by the caller, who leaves it alone until done is called. */
struct engine_io {
	engine_done done;
	/* The engine's own. */
	uint8_t *buffer;
	uint64_t offset, length;
	struct engine_io *next;
	enum engine_op op;
	int rc;
};

/** What an engine implements; see engine_read and so on for the promises. */
struct engine_class {
	const char *name;
	int (*start)(struct engine *engine, struct engine_io *io);
	void (*submit)(struct engine *engine);
	void (*close)(struct engine *engine);
	unsigned (*look)(struct engine *engine); /* may be NULL */
};

/** The part that all engines share. */
struct engine {
	const struct engine_class *class;
	/** Called after a batch of done calls, once: time to answer the guest. */
	void (*batch)(void *arg);
	void *arg;
};

/** What a class of engines is opened with. */
struct engine_options {
	struct event_base *base;
	unsigned depth;     /* the most operations under way at a time */
	uint8_t *memory;    /* where most buffers will be, page-aligned, or NULL: anywhere */
	size_t memory_size; /* what is beyond 4 MiB is as any other memory */
	void (*batch)(void *arg);
	void *arg;
};

/**
 * engine_open_file - over an image or a block device.
 * @fd: stays the caller's and must outlive the engine; O_DIRECT if buffers, offsets and lengths of
 *      512 bytes' alignment are good enough for it
 *
 * Uses io_uring_setup(2), or threads with a warning in the log where that is forbidden.
 *
 * Return: 0 or a negative errno; *@engine is freed with engine_close.
 */
int engine_open_file(struct engine **engine, int fd, const struct engine_options *options);

/** engine_open_uring, engine_open_threads - the two that engine_open_file chooses from. */
int engine_open_uring(struct engine **engine, int fd, const struct engine_options *options);
int engine_open_threads(struct engine **engine, int fd, const struct engine_options *options);

/** engine_is_device - for these: is it a block device, which io_uring cannot tell to discard? */
bool engine_is_device(int fd);

/**
 * engine_open_nbd - over an NBD server's export.
 * @remote: the disk's client, which outlives the engine
 */
struct remote;
int engine_open_nbd(struct engine **engine, struct remote *remote,
		    const struct engine_options *options);

/** engine_open_null - reads zeros, forgets writes; to measure everything else. */
int engine_open_null(struct engine **engine, const struct engine_options *options);

/**
 * engine_read, engine_write - move bytes; they start at the next engine_submit at the latest.
 * @buffer: 512-aligned, stays valid until done
 * @length: bytes, not 0
 *
 * A read beyond the file's end is -EIO (somebody truncated it), a write that the file system has
 * no room for is -ENOSPC.
 *
 * Return: 0, then done is called later, never from here; or -EAGAIN (more than depth under way).
 */
int engine_read(struct engine *engine, struct engine_io *io, void *buffer, uint64_t offset,
		uint64_t length);
int engine_write(struct engine *engine, struct engine_io *io, void *buffer, uint64_t offset,
		 uint64_t length);

/** engine_flush - fdatasync(2): writes that had finished before are on stable storage at done. */
int engine_flush(struct engine *engine, struct engine_io *io);

/** engine_discard - give the bytes' storage back: a hole in a file (fallocate(2)), BLKDISCARD of a
 * block device, which need not read as zeros then; -EOPNOTSUPP at done if the storage cannot. */
int engine_discard(struct engine *engine, struct engine_io *io, uint64_t offset, uint64_t length);

/** engine_erase - a discard after which the device has no copy left, as it says (BLKSECDISCARD of a
 * block device that can); -EOPNOTSUPP at done of all else. */
int engine_erase(struct engine *engine, struct engine_io *io, uint64_t offset, uint64_t length);

/** engine_submit - start everything that was handed over since the last time, in one system call.
 */
void engine_submit(struct engine *engine);

/**
 * engine_look - without a system call, if there is nothing: call done for what has finished.
 * Return: how many; batch is not called for them.
 */
unsigned engine_look(struct engine *engine);

/** engine_close - nothing may be under way; NULL is allowed. */
void engine_close(struct engine *engine);
