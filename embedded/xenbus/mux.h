/*
 * mux.h - many clients on one connection to XenStore, as Linux's xenbus_dev_frontend.c has them.
 *
 * Requests get numbers of ours and their replies the client's again. The token of a watch gets the
 * client's number in front, which tells whose an event is, and is taken off it. A client uses only
 * transactions that it started. What it leaves behind, watches and transactions, is undone.
 *
 * Pure: bytes come and go in buffers.
 */
#pragma once

#include <event2/buffer.h>
#include <stdbool.h>

struct mux;
struct mux_client;

/** mux_create - or NULL when there is no memory. @requests: what goes to XenStore; borrowed. */
struct mux *mux_create(struct evbuffer *requests);

/** mux_destroy - with all its clients. */
void mux_destroy(struct mux *mux);

/** mux_client_add - or NULL. @replies: what goes to the client; borrowed until it is removed. */
struct mux_client *mux_client_add(struct mux *mux, struct evbuffer *replies);

/** mux_client_remove - undo what it left behind, and forget it. */
void mux_client_remove(struct mux *mux, struct mux_client *client);

/**
 * mux_requests - take whole requests from a client, as long as not too many are under way.
 * @in: what came of it; an unfinished request stays there, and so does what must wait: try again
 *      after mux_replies()
 *
 * Return: 0, -EPROTO (a request longer than XENSTORE_PAYLOAD_MAX; the client is to be removed), or
 * -ENOMEM.
 */
int mux_requests(struct mux *mux, struct mux_client *client, struct evbuffer *in);

/**
 * mux_replies - take whole messages of XenStore and give them to whom they concern.
 * Return: 0 or -EPROTO (a message too long: the connection is of no more use).
 */
int mux_replies(struct mux *mux, struct evbuffer *in);
