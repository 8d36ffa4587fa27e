/*
 * agent.h - a process of some domain that does with grants and events what it is told.
 *
 * A test starts one or more, each by a shell command ("PROGRAM agent", or "ssh guest PROGRAM
 * agent"), and speaks to them over their standard input and output: one request, one reply. An
 * agent uses nothing but Xen's public libraries, so it runs on Xen and on the embedded platform
 * alike.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define AGENT_LIST   64 /* words in a message */
#define AGENT_AREAS  1024
#define AGENT_BUFFER 65536 /* bytes of an agent's own memory, for copies */

/* What each takes from the request's words a, b, c, d and list, and gives as value and list. */
enum agent_op {
	AGENT_SHARE = 1,    /* domid, count, writable -> area, refs */
	AGENT_SHARE_NOTIFY, /* domid, writable, offset, port -> area, ref */
	AGENT_UNSHARE,      /* area */
	AGENT_MAP,          /* domid, count, prot; refs -> area */
	AGENT_MAP_DOMAINS,  /* -, count, prot; refs, then domids -> area */
	AGENT_MAP_NOTIFY,   /* domid, ref, offset, port -> area, mapped for writing */
	AGENT_UNMAP,        /* area, pages (0: as many as it has) */
	AGENT_WRITE,  /* area (AGENT_OWN: the buffer), offset, byte; EFAULT when not allowed */
	AGENT_READ,   /* area, offset -> byte */
	AGENT_COPY,   /* count; eight words a segment -> statuses */
	AGENT_HANDLE, /* number: the event channel handle for what follows; 0 at first */
	AGENT_BIND_UNBOUND, /* domid -> port */
	AGENT_BIND,         /* domid, port -> port */
	AGENT_BIND_VIRQ,    /* virq -> port */
	AGENT_UNBIND,       /* port */
	AGENT_NOTIFY,       /* port */
	AGENT_UNMASK,       /* port */
	AGENT_PENDING,      /* milliseconds to wait -> port; EAGAIN */
	AGENT_RESTRICT,     /* domid */
	AGENT_REOPEN,       /* -: the handle anew from its descriptor */
	AGENT_CLOSE,        /* -: the handle */
	AGENT_STORM,        /* port, count: notify again and again */
	AGENT_HAMMER, /* count, rounds; domid and ref of each: map and copy them again and again */
	AGENT_DIE,    /* -: no reply */
};

#define AGENT_OWN UINT32_MAX

/** A segment of AGENT_COPY; offset alone counts for a side in the agent's own buffer. */
struct agent_segment {
	uint32_t flags; /* GNTCOPY_source_gref, GNTCOPY_dest_gref */
	uint32_t length;
	struct {
		uint32_t ref, offset, domid;
	} from, to;
};

struct agent_request {
	uint32_t op;
	uint32_t a, b, c, d;
	uint32_t list[AGENT_LIST];
};

struct agent_reply {
	int32_t rc; /* 0 or a negative errno */
	uint32_t value;
	uint32_t list[AGENT_LIST];
};

/** agent_main - be an agent until standard input ends. Return: an exit status. */
int agent_main(void);

/** An agent as its test sees it. */
struct agent {
	const char *command;
	uint32_t domid;
	pid_t pid;
	int in, out;
	struct agent_reply reply; /* the last */
};

/** agent_start - run its command. Return: 0 or a negative errno. */
int agent_start(struct agent *agent);

/** agent_stop - let it end, if it runs, and wait for that. */
void agent_stop(struct agent *agent);

/** agent_ask - send a request and wait for the reply. Return: its rc; -EPIPE when the agent died.
 */
int agent_ask(struct agent *agent, const struct agent_request *request);

/** agent_tell - send a request that has no reply, or whose reply is fetched by agent_hear(). */
int agent_tell(struct agent *agent, const struct agent_request *request);

/** agent_hear - wait for the reply. Return: its rc; -EPIPE when the agent died. */
int agent_hear(struct agent *agent);

/** agent_do - the same for one without a list. */
int agent_do(struct agent *agent, enum agent_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t d);
