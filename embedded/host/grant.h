/*
 * grant.h - what a process's death does to pins and grants.
 */
#pragma once

#include "embedded/host/session.h"

/**
 * grant_session_end - the process, or its handle, is gone: unpin what it had mapped, revoke what
 * it granted (deferred while in use), carry out its notifications. A session that never was a
 * grant session is left as it is.
 */
void grant_session_end(struct session *session);
