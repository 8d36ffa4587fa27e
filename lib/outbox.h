/*
 * outbox.h - messages of fdpass.h that wait until their socket has room.
 *
 * A socket takes two dozen large messages that nobody reads, a few hundred small ones. More than
 * that is a burst, or a peer that is stopped or has no processor, and no reason to lose one.
 */
#pragma once

#include <event2/event.h>
#include <stddef.h>

struct outbox;

/**
 * outbox_new - @result waits for room in @base; outbox_free before @socket is closed.
 * @socket: SOCK_SEQPACKET and non-blocking; stays the caller's
 * @max:    so many messages may wait; a peer that leaves more unread is not merely slow
 *
 * Return: 0 or -ENOMEM.
 */
int outbox_new(struct outbox **result, struct event_base *base, int socket, size_t max);

/**
 * outbox_send - send one message after those that wait.
 * @message: @size bytes, copied
 * @fds:     @count descriptors, duplicated if they have to wait; stay the caller's
 *
 * Should the peer go away, what waits is dropped, and whoever reads the socket finds out.
 *
 * Return: 0 (sent, or it waits), -ENOBUFS (@max wait already), -ENOMEM, or as fdpass_send.
 */
int outbox_send(struct outbox *outbox, const void *message, size_t size, const int *fds,
		size_t count);

/** outbox_free - what waits is dropped, its descriptors are closed. NULL is allowed. */
void outbox_free(struct outbox *outbox);
