/*
 * request.h - one request: find its row in the table, check who may, serve it, answer.
 */
#pragma once

#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/view.h"
#include "xenstore-tools/store/wire.h"

/** What serving a request needs. */
struct call {
	struct connection *connection;
	struct store *store;
	const struct request *request;
	struct view view; /* with the transaction that the request names */
};

/** request_serve - serve @request and queue exactly one reply. */
void request_serve(struct connection *connection, const struct request *request);

/*
 * For the functions that serve (the serve_*.c files). Each returns 0 after it has replied, or a
 * negative errno that request_serve() replies with.
 */

/** call_reply - reply with @size bytes. Return: 0 or -ENOMEM. */
int call_reply(struct call *call, const void *body, size_t size);

/** call_ok - reply "OK". Return: 0 or -ENOMEM. */
int call_ok(struct call *call);

/**
 * call_path - the absolute and valid path of a node that a client means by @text.
 * @path: PATH_SIZE bytes
 * Return: 0 or -EINVAL.
 */
int call_path(struct call *call, const char *text, char *path);

int serve_directory(struct call *call);
int serve_directory_part(struct call *call);
int serve_read(struct call *call);
int serve_get_perms(struct call *call);
int serve_write(struct call *call);
int serve_mkdir(struct call *call);
int serve_rm(struct call *call);
int serve_set_perms(struct call *call);

int serve_watch(struct call *call);
int serve_unwatch(struct call *call);
int serve_reset_watches(struct call *call);
int serve_transaction_start(struct call *call);
int serve_transaction_end(struct call *call);

int serve_introduce(struct call *call);
int serve_release(struct call *call);
int serve_resume(struct call *call);
int serve_set_target(struct call *call);
int serve_get_domain_path(struct call *call);
int serve_is_domain_introduced(struct call *call);

int serve_control(struct call *call);
