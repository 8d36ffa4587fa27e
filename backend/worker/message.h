/*
 * message.h - what the supervisor and a guest's worker tell each other.
 *
 * Fixed-size structs over a SOCK_SEQPACKET pair (lib/fdpass.h); both ends are the same binary.
 * A worker runs a guest's rings and may have been taken over by that guest, so the supervisor
 * checks every report as if the guest had sent it.
 */
#pragma once

#include <stdint.h>

/** The classes of devices; indexes the tables of both sides. */
enum worker_kind { WORKER_VBD, WORKER_VIF, WORKER_KINDS };

/** Room for what a class tells its other half in a connect or change request. */
#define WORKER_PAYLOAD_SIZE 4096

enum worker_request_type {
	WORKER_CONNECT = 1, /* payload and descriptors of the class; answered by UP or FAILED */
	WORKER_DISCONNECT,  /* answered by DOWN once nothing of the guest is mapped any more */
	WORKER_CHANGE,      /* payload and descriptors of the class; answered by CHANGED */
};

/** Supervisor to worker. */
struct worker_request {
	uint32_t type;
	uint32_t kind;
	uint32_t devid;  /* the vbd's or vif's number in its backend directory */
	uint32_t serial; /* of this connection, echoed in each report about it */
	uint32_t change; /* of this CHANGE, echoed in its answer */
	_Alignas(8) uint8_t payload[WORKER_PAYLOAD_SIZE];
};

enum worker_report_type {
	WORKER_READY = 1, /* the worker itself is in its sandbox; kind, devid, serial are 0 */
	WORKER_UP,        /* the rings run */
	WORKER_FAILED,    /* the rings could not be started: nothing is left mapped */
	WORKER_DOWN,      /* the rings are stopped, unmapped and their descriptors closed */
	WORKER_ERROR,     /* a running device stopped a ring; it stays connected until the frontend
			     closes */
	WORKER_CHANGED,   /* a running device was changed; or, with rc, is as it was before */
	WORKER_WANT,      /* the device needs something of the supervisor: the class knows what */
	WORKER_TROUBLE,   /* what the device is on does not work now, and why: it may pass */
	WORKER_RECOVERED, /* it has passed, and how */
};

/** Worker to supervisor. */
struct worker_report {
	uint32_t type;
	uint32_t kind;
	uint32_t devid;
	uint32_t serial;
	uint32_t change; /* of CHANGED; of WANT: what, in the class's numbers */
	int32_t rc;      /* negative errno of FAILED, ERROR, CHANGED and TROUBLE */
	char text[200];  /* to rc: what is wrong and the remedy; NUL-terminated */
};
