/*
 * sandbox.h - what the daemon may still ask of the kernel once everything is open.
 */
#pragma once

/**
 * sandbox_enter - from now on any system call that is not on the list fails with EPERM and
 * is written to the audit log; nothing dies of one that was forgotten.
 *
 * Return: 0 or a negative errno. Under the sanitizers, which call what they like, it does nothing.
 */
int sandbox_enter(void);
