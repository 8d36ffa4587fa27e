/*
 * late_seccomp.h - libseccomp: see late.h.
 */
#pragma once

#include <seccomp.h>

#include "toolstack/late.h"

#define seccomp_init     LATE(LATE_SECCOMP, seccomp_init)
#define seccomp_load     LATE(LATE_SECCOMP, seccomp_load)
#define seccomp_release  LATE(LATE_SECCOMP, seccomp_release)
#define seccomp_rule_add LATE(LATE_SECCOMP, seccomp_rule_add)
