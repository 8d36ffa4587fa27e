#include "xenstore-tools/store/watch.h"

#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/connection.h"

static uint64_t start(const struct store *store)
{
	return TABLE_HASH_START ^ store->secret;
}

static void match(const struct store *store, const char *path, size_t length, uint64_t hash,
		  void (*each)(struct watch *watch, void *arg), void *arg)
{
	struct table_link *link = table_first(&store->watches, hash);

	for (; link; link = table_next(link)) {
		struct watch *watch = table_entry(link, struct watch, link);

		if (watch->path_length == length && !memcmp(watch->text, path, length))
			each(watch, arg);
	}
}

void watch_match_exact(const struct store *store, const char *path,
		       void (*each)(struct watch *watch, void *arg), void *arg)
{
	size_t length = strlen(path);

	match(store, path, length, table_hash(start(store), path, length), each, arg);
}

void watch_match(const struct store *store, const char *path,
		 void (*each)(struct watch *watch, void *arg), void *arg)
{
	uint64_t hash = table_hash(start(store), path, 1);
	size_t done = 1;

	match(store, path, 1, hash, each, arg);
	if (!path[1])
		return;
	/* Here "/a/b" means the prefixes "/a" and "/a/b": the hash goes on where it stopped. */
	do {
		size_t next = done + strcspn(path + done + (done > 1), "/") + (done > 1);

		hash = table_hash(hash, path + done, next - done);
		done = next;
		match(store, path, done, hash, each, arg);
	} while (path[done]);
}

struct watch *watch_find(const struct store *store, const struct connection *connection,
			 const char *path, const char *token)
{
	size_t length = strlen(path);
	struct table_link *link =
		table_first(&store->watches, table_hash(start(store), path, length));

	for (; link; link = table_next(link)) {
		struct watch *watch = table_entry(link, struct watch, link);

		if (watch->connection == connection && !strcmp(watch->text, path) &&
		    !strcmp(watch_token(watch), token))
			return watch;
	}
	return NULL;
}

struct watch *watch_add(struct store *store, struct connection *connection, const char *path,
			const char *token, size_t skip)
{
	size_t path_length = strlen(path), token_length = strlen(token);
	struct watch *watch = malloc(sizeof(*watch) + path_length + token_length + 2);

	if (!watch)
		return NULL;
	*watch = (struct watch){
		.connection = connection,
		.skip = skip,
		.path_length = path_length,
		.token_length = token_length,
	};
	memcpy(watch->text, path, path_length + 1);
	memcpy(watch->text + path_length + 1, token, token_length + 1);
	if (table_insert(&store->watches, &watch->link,
			 table_hash(start(store), path, path_length))) {
		free(watch);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&connection->watches, watch, all);
	connection->watch_count++;
	connection->watch_bytes += sizeof(*watch) + path_length + token_length + 2;
	return watch;
}

void watch_free(struct store *store, struct watch *watch)
{
	struct connection *connection = watch->connection;

	table_remove(&store->watches, &watch->link);
	TAILQ_REMOVE(&connection->watches, watch, all);
	connection->watch_count--;
	connection->watch_bytes -= sizeof(*watch) + watch->path_length + watch->token_length + 2;
	free(watch);
}
