/*
 * connector.h - the helper process that connects to an NBD server, once, for the supervisor.
 *
 * Finding a host's addresses and connecting block, and what a server says in its handshake is not
 * to be read by root; so a process of its own does it and ends. Asked for a connection, it sends
 * the connected descriptor, on which nothing was said yet. Asked about the export, it goes into the
 * worker's sandbox and then through the handshake, and sends what it learnt.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend/block/export.h"

/** Seconds that it has for all of it. */
#define CONNECTOR_SECONDS 30

/** The one message to the supervisor, with the descriptor when it connected only. */
struct connector_report {
	int32_t rc; /* 0 or a negative errno */
	char text[200];
	struct export_info info;
};

/**
 * connector_main - be that process.
 * @socket: SOCK_SEQPACKET to the supervisor
 * @params: an nbd:// or nbd+unix:// address
 * @ask:    about the export, instead of sending the connection
 * @user, @sandboxed: as for worker_main
 *
 * Return: the process's exit status.
 */
int connector_main(int socket, const char *params, bool ask, const char *user, bool sandboxed);
