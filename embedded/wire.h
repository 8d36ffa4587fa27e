/*
 * wire.h - what the libraries ask of the host daemon, over a SOCK_SEQPACKET socket.
 *
 * $XSPLIT_EMBEDDED names the socket; which one it is tells the daemon which domain asks. A request
 * is one struct that starts with its opcode, a reply one struct that starts with 0 or a negative
 * errno (the rest of it is then zero). Each has one size; a message of another ends the connection.
 * One request at a time: the next may be sent when the reply is there. Library and daemon are
 * always of the same build, so there are no versions.
 */
#pragma once

#include <stdint.h>

#define WIRE_ENVIRONMENT "XSPLIT_EMBEDDED"

/** The largest request or reply; what is longer travels in a descriptor. */
#define WIRE_MESSAGE_MAX 4096

enum wire_opcode {
	/* memory and grants: host/memory.c, host/grant.c */
	WIRE_DOMAIN_OPEN = 1,
	WIRE_GRANT_OPEN,
	WIRE_GRANT_NOTIFY_SET,
	WIRE_GRANT_NOTIFY_FIRE,
	/* event channels: host/evtchn.c */
	WIRE_EVTCHN_OPEN = 16,
	WIRE_EVTCHN_BIND_UNBOUND,
	WIRE_EVTCHN_BIND_INTERDOMAIN,
	WIRE_EVTCHN_BIND_VIRQ,
	WIRE_EVTCHN_ADOPT,
	WIRE_EVTCHN_UNBIND,
	WIRE_EVTCHN_RESTRICT,
	WIRE_EVTCHN_PEER,
	WIRE_EVTCHN_ALLOC_UNBOUND,
	/* domains: host/domain.c */
	WIRE_DOMAIN_CREATE = 64,
	WIRE_DOMAIN_DESTROY,
	WIRE_DOMAIN_INFO,
	WIRE_DOMAIN_SET,
	WIRE_DOMAIN_PARAM,
	WIRE_DOMAIN_CONTROL,
	WIRE_DOMAIN_PROGRAM,
	WIRE_EVTCHN_STATUS,
	WIRE_OPCODE_END = 128
};

/** A request that has nothing to say but its opcode. */
struct wire_plain {
	uint32_t opcode;
};

/** A reply that has nothing to say but how it went. */
struct wire_result {
	int32_t rc;
};

/** WIRE_DOMAIN_OPEN: a domain's table and memory. -ESRCH. Reply carries both descriptors. */
struct wire_domain_open {
	uint32_t opcode;
	uint32_t domid; /* DOMID_SELF: of who asks */
};

struct wire_domain_opened {
	int32_t rc;
	uint32_t domid;
	uint32_t serial;
	uint32_t frames;
};

/** WIRE_GRANT_OPEN: become a grant session. The reply carries the maptrack (grant.h). -EEXIST. */
struct wire_grant_opened {
	int32_t rc;
	uint32_t session;
};

enum wire_notify_flags { WIRE_NOTIFY_BYTE = 1, WIRE_NOTIFY_EVENT = 2 };

/**
 * WIRE_GRANT_NOTIFY_SET: when this session's use of frame @frame of domain @serial ends, by
 * _FIRE or because it died, clear a byte and send an event. -ESRCH (no such domain), -EINVAL (no
 * such port, offset beyond the frame), -ENOSPC.
 */
struct wire_grant_notify {
	uint32_t opcode;
	uint32_t serial;
	uint32_t frame;
	uint32_t offset; /* of the byte in the frame */
	uint32_t port;   /* of the asker's domain; its peer hears of it */
	uint32_t flags;
};

struct wire_grant_notify_set {
	int32_t rc;
	uint32_t id; /* for _FIRE */
};

/** WIRE_GRANT_NOTIFY_FIRE: send the event and forget; the byte is the asker's own work. -ENOENT. */
struct wire_grant_notify_fire {
	uint32_t opcode;
	uint32_t id;
};

/**
 * WIRE_EVTCHN_OPEN: a new handle; the reply carries the end that tokens are sent into and the
 * process's own end. With one descriptor sent along: take up the handle that this is the own end of
 * (-EBADF: it is none); the reply then carries the first only.
 */
struct wire_evtchn_opened {
	int32_t rc;
	uint32_t domid;
	uint64_t handle; /* never given out twice in a host's life */
};

/**
 * WIRE_EVTCHN_BIND_UNBOUND, _BIND_VIRQ, _ADOPT, _UNBIND, _RESTRICT: @value is domid, virq, port,
 * port, domid.
 */
struct wire_evtchn {
	uint32_t opcode;
	uint32_t value;
};

struct wire_evtchn_bind_interdomain {
	uint32_t opcode;
	uint32_t domid;
	uint32_t port;
};

struct wire_evtchn_bound {
	int32_t rc;
	uint32_t port;
};

/** WIRE_EVTCHN_PEER: the sending end of a handle. -ENOENT when it is gone. */
struct wire_evtchn_peer {
	uint32_t opcode;
	uint32_t spare;
	uint64_t handle;
};

/**
 * WIRE_EVTCHN_ALLOC_UNBOUND: a port of @domid for @remote to bind to, without a handle until
 * somebody adopts it (xc_evtchn_alloc_unbound). Reply: struct wire_evtchn_bound. -EPERM, -ESRCH,
 * -ENOSPC.
 */
struct wire_evtchn_alloc_unbound {
	uint32_t opcode;
	uint32_t domid;  /* DOMID_SELF, or any when dom0 asks */
	uint32_t remote; /* DOMID_SELF: who asks */
};

/** WIRE_DOMAIN_CREATE: a domain without anything in it. -EPERM (not dom0), -EEXIST, -ENOSPC,
 * -EINVAL. */
struct wire_domain_create {
	uint32_t opcode;
	uint32_t domid;  /* no guest's number, such as 0: the next free one */
	uint32_t frames; /* its memory */
	uint32_t hvm;    /* 1: it is to be told apart as such; nothing else depends on it */
	uint32_t ssidref;
	uint8_t handle[16];
};

struct wire_domain_created {
	int32_t rc;
	uint32_t domid;
};

/**
 * WIRE_DOMAIN_DESTROY: -EPERM, -ESRCH, -EINVAL (domain 0), -EAGAIN (its processes are dying: ask
 * again until the answer is 0 or -ESRCH). Reply: struct wire_result.
 */
struct wire_domain_destroy {
	uint32_t opcode;
	uint32_t domid;
};

/** How many domains one reply to WIRE_DOMAIN_INFO tells of. */
#define WIRE_INFO_MAX 48

/** WIRE_DOMAIN_INFO: the domains from @first on, by rising number. -EPERM. */
struct wire_domain_info {
	uint32_t opcode;
	uint32_t first;
};

enum wire_info_flags {
	WIRE_INFO_DYING = 1,    /* its processes are being killed */
	WIRE_INFO_SHUTDOWN = 2, /* it ended, with @reason, and is still to be destroyed */
	WIRE_INFO_PAUSED = 4,
	WIRE_INFO_HVM = 8,
	WIRE_INFO_RUNNING = 16
};

struct wire_info {
	uint32_t domid;
	uint32_t flags;
	uint32_t reason; /* SHUTDOWN_* */
	uint32_t ssidref;
	uint32_t max_vcpus; /* 0: none yet */
	uint32_t spare;
	uint64_t pages;
	uint64_t max_pages;
	uint8_t handle[16];
};

struct wire_domain_infos {
	int32_t rc;
	uint32_t count;
	struct wire_info info[WIRE_INFO_MAX];
};

enum wire_domain_item {
	WIRE_ITEM_HANDLE,    /* @handle */
	WIRE_ITEM_MAX_VCPUS, /* 1 to 8192, more than once only to the same: -EINVAL */
	WIRE_ITEM_MAX_PAGES,
	WIRE_ITEM_PAGES /* as if so many were populated; above the maximum: -ENOMEM */
};

/** WIRE_DOMAIN_SET: -EPERM, -ESRCH, -EINVAL. Reply: struct wire_result. */
struct wire_domain_set {
	uint32_t opcode;
	uint32_t domid;
	uint32_t item;
	uint32_t spare;
	uint64_t value;
	uint8_t handle[16];
};

/**
 * WIRE_DOMAIN_PARAM: read, or with @set write, one of HVM_PARAM_* (here PV guests have them too: a
 * guest finds its store page by them). -EPERM (another domain's, and not dom0), -ESRCH, -EINVAL.
 */
struct wire_domain_param {
	uint32_t opcode;
	uint32_t domid; /* or DOMID_SELF */
	uint32_t index;
	uint32_t set;
	uint64_t value;
};

struct wire_domain_param_value {
	int32_t rc;
	uint32_t spare;
	uint64_t value;
};

enum wire_domain_action { WIRE_ACTION_PAUSE, WIRE_ACTION_UNPAUSE, WIRE_ACTION_SHUTDOWN };

/**
 * WIRE_DOMAIN_CONTROL: -EPERM, -ESRCH, -EINVAL (unpause of what is not paused; dom0).
 * Reply: struct wire_result.
 */
struct wire_domain_control {
	uint32_t opcode;
	uint32_t domid;
	uint32_t action;
	uint32_t reason; /* SHUTDOWN_*, of WIRE_ACTION_SHUTDOWN */
};

/** Bytes of a guest's program and arguments, with their NULs. */
#define WIRE_PROGRAM_MAX 4000

/**
 * WIRE_DOMAIN_PROGRAM: what the first unpause starts. -EPERM, -ESRCH, -EINVAL, -EBUSY (it runs).
 * Reply: struct wire_result.
 */
struct wire_domain_program {
	uint32_t opcode;
	uint32_t domid;
	uint32_t count; /* of strings: an absolute path, then the arguments */
	uint32_t length;
	char text[WIRE_PROGRAM_MAX];
};

/** WIRE_EVTCHN_STATUS: -EPERM (another domain's, and not dom0), -ESRCH, -EINVAL (no such number).
 */
struct wire_evtchn_status {
	uint32_t opcode;
	uint32_t domid; /* or DOMID_SELF */
	uint32_t port;
};

struct wire_evtchn_state {
	int32_t rc;
	uint32_t status; /* EVTCHNSTAT_* */
	uint32_t domid;  /* of an unbound or interdomain port: who may bind, or has bound, to it */
	uint32_t port;   /* of an interdomain one: there */
	uint32_t virq;
};
