/*
 * semantics.h - inside of the semantics test: its two agents, and what tests are made of.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "tests/embedded/agent.h"

#define NOBODY   31000u /* a domid that no domain has */
#define NO_PORT  UINT32_MAX
#define MOMENT   20   /* ms to see that nothing comes */
#define PATIENCE 5000 /* ms for what must come */
#define READ     PROT_READ
#define BOTH     (PROT_READ | PROT_WRITE)
#define PAGE     4096u

extern struct agent a, b;

/** expect - the test fails, and goes on, unless both are equal. */
#define expect(got, wanted) expect_at(__LINE__, #got, got, wanted)
void expect_at(int line, const char *what, int64_t got, int64_t wanted);

/* One request each. They return 0, or what is read, or a negative errno; share() the area. */
uint32_t share(struct agent *from, struct agent *to, uint32_t pages, bool writable, uint32_t *refs);
int unshare(struct agent *by, uint32_t area);
int map(struct agent *by, uint32_t domid, uint32_t pages, const uint32_t *refs, int prot);
int unmap(struct agent *by, uint32_t area);
int poke(struct agent *by, uint32_t area, uint32_t offset, uint32_t byte);
int peek(struct agent *by, uint32_t area, uint32_t offset);
int copy(struct agent *by, const struct agent_segment *segments, uint32_t count);
int pending(struct agent *by, uint32_t wait);
int do_port(struct agent *by, enum agent_op op, uint32_t port);

/** status - of a segment of the last copy. */
int status(const struct agent *by, uint32_t segment);

/** ports_connect - a port of a's and one of b's, bound to each other, with nothing pending. */
void ports_connect(uint32_t *port_a, uint32_t *port_b);
void ports_close(uint32_t port_a, uint32_t port_b);

/** agent_restart - let it end, and start it anew. */
void agent_restart(struct agent *agent);

/* semantics_grants.c */
void map_writable(void);
void map_readonly(void);
void readonly_grant(void);
void not_granted_to_us(void);
void no_such_grant(void);
void map_many(void);
void copy_both_ways(void);
void copy_refused(void);
void revoked(void);
void death_revokes(void);

/* semantics_events.c */
void unmap_notifies(void);
void death_notifies(void);
void granter_death_notifies(void);
void unshare_notifies(void);
void event_mask(void);
void event_rebind(void);
void event_refused(void);
void event_handle_close(void);
void event_reopen(void);
void event_virq(void);
void event_restrict(void);
void event_storm(void);
