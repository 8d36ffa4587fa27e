/*
 * watch.h - the watches of all connections, found by path.
 *
 * An event at a path looks up the path and each of its ancestors in one hash table, so
 * it costs depth + matches however many watches there are.
 */
#pragma once

#include "xenstore-tools/store/store.h"

struct watch {
	struct table_link link; /* in store->watches, by path */
	TAILQ_ENTRY(watch) all; /* of the connection */
	struct connection *connection;
	uint32_t skip;        /* bytes of an event's path that a relative watch does not show */
	uint32_t path_length; /* "/a/b" or "@releaseDomain" */
	uint32_t token_length;
	char text[]; /* the path and the token, each with a NUL */
};

static inline const char *watch_token(const struct watch *watch)
{
	return watch->text + watch->path_length + 1;
}

/** watch_find - the watch of @connection with that path and token, or NULL. */
struct watch *watch_find(const struct store *store, const struct connection *connection,
			 const char *path, const char *token);

/**
 * watch_add - register one.
 * @skip: as in the struct
 * Return: it, or NULL when memory is short.
 */
struct watch *watch_add(struct store *store, struct connection *connection, const char *path,
			const char *token, size_t skip);

/** watch_free - unregister one and free it. */
void watch_free(struct store *store, struct watch *watch);

/** watch_match - call @each for the watches on @path and on all above it. */
void watch_match(const struct store *store, const char *path,
		 void (*each)(struct watch *watch, void *arg), void *arg);

/** watch_match_exact - only for those on @path itself. */
void watch_match_exact(const struct store *store, const char *path,
		       void (*each)(struct watch *watch, void *arg), void *arg);
