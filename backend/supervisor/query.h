/*
 * query.h - the socket on which the backend tells what it does: $XSPLIT_RUNDIR/backend.sock.
 *
 * For root alone (mode 0600). A request is a JSON object on a line, its answer another:
 *
 *   {"request": "stats", "domid": 5, "devid": 51712}   both may be left out: {"devices": [...]}
 *   {"request": "dump", "domid": 5, "devid": 51712}    a live device's rings: {"dump": {...}}
 *   anything else                                      {"error": "words"}
 */
#pragma once

#include <event2/event.h>

#include "backend/supervisor/registry.h"

struct query;

/** query_open - bind the socket and listen. Return: 0 or a negative errno. */
int query_open(struct query **query, struct event_base *base, struct registry *registry);

/** query_close - drop all clients and remove the socket; NULL is allowed. */
void query_close(struct query *query);
