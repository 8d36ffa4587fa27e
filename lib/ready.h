/*
 * ready.h - a daemon tells who started it that it now answers.
 *
 * The way of s6 and of systemd-notify without a protocol: the starter passes a descriptor
 * (--ready-fd FD), reads one newline from it when the daemon is ready, or end of file when it
 * died before.
 */
#pragma once

/** ready_announce - write the newline and close @fd; -1 is allowed and does nothing. */
void ready_announce(int fd);
