/*
 * grant.h - what a process's death does to pins and grants.
 */
#pragma once

#include "embedded/host/domain.h"
#include "embedded/host/session.h"

/**
 * grant_session_end - the process, or its handle, is gone: unpin what it had mapped, revoke what
 * it granted (deferred while in use), carry out its notifications. A session that never was a
 * grant session is left as it is.
 */
void grant_session_end(struct session *session);

/** grant_domain_gone - forget what dead sessions of the domain have left to do; its memory goes
 * next. */
void grant_domain_gone(struct domain *domain);
