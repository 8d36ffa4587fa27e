/*
 * image_lock.h - who may have an image at the same time.
 *
 * A file that is written has a flock(2), for whoever else asks for it, and is locked for writing on
 * one byte that a file below another image is locked for reading on (fcntl(2), F_OFD_SETLK). A
 * worker's lease is a lock on another. All bytes are beyond every image's end.
 *
 * Not every file system has locks. As QEMU does (locking=auto), images on one that has none are
 * served; what is not seen to then is said in the log, once each time. A lock that fails in another
 * way is an error: nobody knows then who has the image.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/**
 * image_lock_verdict - what a lock's failure says.
 * @error: errno of flock(2), or of fcntl(2) with F_OFD_SETLK
 *
 * Return: -EBUSY (another has it), -ENOLCK (there are none here), or -@error.
 */
int image_lock_verdict(int error);

/**
 * image_lock_has_flock - is a flock(2) there something else than fcntl(2)'s locks?
 * @type: of the file system, statfs(2)'s f_type
 *
 * Over NFS (nfs(5)) and SMB it is a lock of the whole file's bytes, beside which the server gives
 * neither a lease nor QEMU's locks.
 */
bool image_lock_has_flock(uint32_t type);

/**
 * image_lock_write - have what is open as @fd for writing, and nobody else.
 * @path: its name, for words
 *
 * Only bytes of a block device are locked: open(2)'s O_EXCL does the rest.
 *
 * Return: 0, -EBUSY (somebody writes it), -EMLINK (images lie on it), or how locking failed.
 */
int image_lock_write(int fd, const struct stat *st, const char *path);

/** image_lock_why - image_lock_write's failure in words. @why: @size bytes. */
void image_lock_why(int rc, const char *path, char *why, size_t size);

/** image_lock_lease - as image_lease. Return: 0, -EAGAIN (not yet), or how locking failed. */
int image_lock_lease(int fd, const char *path);

/** image_lock_share - as image_share, of what is open as @fd. Return: 0, -EBUSY, or how locking
 * failed. */
int image_lock_share(int fd, const char *path);
