/*
 * fdpass.h - fixed-size messages with descriptors over a SOCK_SEQPACKET pair.
 *
 * What a supervisor and its worker speak: each message is one struct that both sides were
 * built with, so a message of another size is an error, never a guess.
 */
#pragma once

#include <stddef.h>

/** The most descriptors one message carries. */
#define FDPASS_MAX 12

/**
 * fdpass_send - send one message.
 * @socket:  SOCK_SEQPACKET
 * @message: @size bytes
 * @fds:     @count descriptors, still owned by the caller afterwards; NULL when @count is 0
 *
 * Return: 0, -EINVAL (@count above FDPASS_MAX), or what sendmsg(2) says; -EAGAIN on a
 * non-blocking socket whose peer does not read. SIGPIPE is not raised.
 */
int fdpass_send(int socket, const void *message, size_t size, const int *fds, size_t count);

/**
 * fdpass_receive - receive one message.
 * @message: room for exactly @size bytes
 * @fds:     room for FDPASS_MAX; what came is close-on-exec and belongs to the caller
 * @count:   set to how many came
 *
 * Return: 0, -EPIPE (the peer is gone), -EPROTO (another size, or too many descriptors: all
 * that came are closed), or what recvmsg(2) says.
 */
int fdpass_receive(int socket, void *message, size_t size, int *fds, size_t *count);

/**
 * fdpass_receive_any - the same for messages of several sizes.
 * @message: room for @room bytes
 * @size:    set to the message's length, 1 to @room; a longer message is -EPROTO
 */
int fdpass_receive_any(int socket, void *message, size_t room, size_t *size, int *fds,
		       size_t *count);
