/*
 * perms.h - who may do what with a node.
 *
 * The first entry names the owner, and what everybody else may do; each later entry is for
 * one domain (xenstore.txt, "Permissions"). Lists are immutable and counted; nodes share them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an entry grants, as bits. */
#define PERM_NONE  0u
#define PERM_READ  1u
#define PERM_WRITE 2u
#define PERM_OWNER 4u /* never written in an entry: what the owner has beyond the rest */

/** No domain: DOMID_INVALID of xen.h. */
#define PERM_NOBODY 0x7ff4u

struct perm {
	uint16_t domid;
	uint8_t access; /* PERM_READ | PERM_WRITE */
	bool ignored;   /* the domain did not exist when the entry was written (XSA-322) */
};

struct perms {
	uint32_t refs;
	uint32_t count; /* at least one */
	struct perm entry[];
};

/** Who asks. */
struct actor {
	bool privileged; /* dom0 and the sockets: may do everything */
	uint16_t domid;
	uint16_t target; /* SET_TARGET: has this domain's rights too; else PERM_NOBODY */
};

/**
 * perms_new - a list of @count entries (at least one), copied from @entry.
 * Return: one reference, or NULL when memory is short.
 */
struct perms *perms_new(const struct perm *entry, size_t count);

struct perms *perms_get(struct perms *perms);
void perms_put(struct perms *perms);

/** perms_owner - the domain that owns the node. */
static inline uint16_t perms_owner(const struct perms *perms)
{
	return perms->entry[0].domid;
}

/**
 * perms_parse - "n0\0r5\0" into a list.
 * @text: @size bytes, the last one NUL
 * @out:  one reference, set on success only
 *
 * Return: 0, -EINVAL (no entry, another letter than n, r, w, b, no number behind it, or one
 * above 32767), or -ENOMEM.
 */
int perms_parse(const char *text, size_t size, struct perms **out);

/**
 * perms_format - the opposite.
 * @out: @size bytes
 *
 * Return: how many bytes it takes, NULs included; -E2BIG when that is more than @size.
 */
int perms_format(const struct perms *perms, char *out, size_t size);

/** perms_access - what @actor may do: PERM_READ, PERM_WRITE and PERM_OWNER together. */
unsigned perms_access(const struct perms *perms, const struct actor *actor);

/** perms_mention - is there an entry for @domid, the owner's apart? */
bool perms_mention(const struct perms *perms, uint16_t domid);

/**
 * perms_owned - the list with another owner.
 * Return: one reference (to the same list when @domid owns it already), or NULL for memory.
 */
struct perms *perms_owned(struct perms *perms, uint16_t domid);

/**
 * perms_without - the list without the entries of @domid; as an owner dom0 replaces it.
 * Return: one reference, or NULL when memory is short.
 */
struct perms *perms_without(struct perms *perms, uint16_t domid);
