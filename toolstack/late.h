/*
 * late.h - libraries that only some commands need, loaded when one of their functions is called
 * first.
 *
 * libxlutil, libxenguest, libnl-route and libseccomp bring ten of 22 libraries with them, and a
 * command as short as destroy spends a tenth of its time on loading those. late_xlutil.h,
 * late_xenguest.h, late_netlink.h and late_seccomp.h are included in place of the libraries'
 * headers; calls are written as ever. A function that is missing there is one that the linker does
 * not find.
 */
#pragma once

enum late_library { LATE_XLUTIL, LATE_XENGUEST, LATE_NETLINK, LATE_SECCOMP, LATE_LIBRARIES };

/** LATE - a function of a late library, of its own type. */
#define LATE(library, function) ((__typeof__(&function))late_find(library, #function))

/**
 * late_find - a function of a library or of those it depends on, loaded if it is not.
 *
 * Does not return without it: as the dynamic loader does, it says what is missing and ends the
 * process with status 127. Who must not end calls late_load_all() first.
 */
void *late_find(enum late_library library, const char *name);

/** late_load_all - for a process that lives long: what is there when it starts stays. */
void late_load_all(void);
