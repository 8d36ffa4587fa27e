/*
 * platform.h - all that a frontend needs from whatever runs it.
 *
 * The core knows no system: a process (frontend/process), a Linux module or a small kernel
 * gives it one table of operations. The core itself is freestanding C: of a C library it takes
 * the numbers of <errno.h>, memcpy, memset, memcmp and strlen.
 *
 * Contexts. The host keeps each device to one thread at a time: a lock around every call into
 * it and around every handler it gives to the host is enough. Handlers of store watches and
 * everything called from xenbus.h may use the store, which may sleep. Handlers of events and
 * the submission of requests never do, so they may run with interrupts off. Nothing in the
 * core waits for the backend.
 *
 * Memory. Xen has no way to take back a page while the backend maps it (XSA-396). So what is
 * shared is an area: pages that were zeroed when they were made and hold nothing but what the
 * backend may see (XSA-403), and that are not used for anything else until revoking worked.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct platform;

/** Pages that a backend may use, contiguous for us. Made and freed by the host. */
struct platform_area {
	uint8_t *data; /* pages * 4096 bytes */
	uint32_t pages;
	struct platform_area *next; /* of those that wait to be revoked */
	uint32_t gref[];
};

/**
 * An event channel whose other end the backend binds. The handler is not entered again before
 * it returns, and later still when it returns false often (throttle.h).
 */
struct platform_event {
	uint32_t port;
	bool (*handler)(void *arg); /* false: there was nothing to do */
	void *arg;
};

/** A watch; the handler says nothing about what changed: read the store again. */
struct platform_watch {
	void (*handler)(void *arg);
	void *arg;
};

enum platform_level { PLATFORM_ERROR, PLATFORM_WARN, PLATFORM_INFO, PLATFORM_DEBUG };

/** A store transaction; PLATFORM_NO_TRANSACTION outside of one. */
#define PLATFORM_NO_TRANSACTION 0u

struct platform_ops {
	/* Zeroed memory, or NULL; freeing NULL is allowed. */
	void *(*allocate)(struct platform *platform, size_t size);
	void (*free)(struct platform *platform, void *memory);

	/* Zeroed pages shared with @domid, which may only read them if @readonly.
	 * 0, -ENOMEM, or -ENOSPC (no more grants for us). */
	int (*area_share)(struct platform *platform, uint16_t domid, uint32_t pages, bool readonly,
			  struct platform_area **area);
	/* 0: the area is gone. -EBUSY: some page is in use, the area stays as it is. */
	int (*area_revoke)(struct platform *platform, struct platform_area *area);

	int (*event_open)(struct platform *platform, uint16_t domid, bool (*handler)(void *arg),
			  void *arg, struct platform_event **event);
	void (*event_close)(struct platform *platform, struct platform_event *event);
	void (*event_notify)(struct platform *platform, struct platform_event *event);

	/* Paths are absolute, or relative to our domain's. A value read is NUL-terminated and
	 * has no other NUL; returns its length, -ENOENT, -E2BIG (longer than @size - 1 bytes),
	 * or -EIO. The others return 0 or a negative errno; store_end -EAGAIN when somebody
	 * else wrote what the transaction touched. */
	int (*store_read)(struct platform *platform, uint32_t transaction, const char *path,
			  char *value, size_t size);
	int (*store_write)(struct platform *platform, uint32_t transaction, const char *path,
			   const char *value);
	int (*store_remove)(struct platform *platform, uint32_t transaction, const char *path);
	int (*store_begin)(struct platform *platform, uint32_t *transaction);
	int (*store_end)(struct platform *platform, uint32_t transaction, bool commit);
	int (*store_watch)(struct platform *platform, const char *path, void (*handler)(void *arg),
			   void *arg, struct platform_watch **watch);
	void (*store_unwatch)(struct platform *platform, struct platform_watch *watch);

	/* One line "@object: @text", limited by the host when @level is a warning or worse. */
	void (*log)(struct platform *platform, enum platform_level level, const char *object,
		    const char *text);
	/* Milliseconds of a clock that only goes forward. */
	uint64_t (*now_ms)(struct platform *platform);
};

/** Embedded in the host's own struct; zeroed but for ops. */
struct platform {
	const struct platform_ops *ops;
	struct platform_area *limbo; /* revoked in vain so far */
	uint32_t limbo_pages;
};
