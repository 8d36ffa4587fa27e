#include "xenstore-tools/store/perms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

#define DOMID_MAX 0x7fffu

static const char letters[] = "nrwb"; /* the place in it is the access */

struct perms *perms_new(const struct perm *entry, size_t count)
{
	struct perms *perms = malloc(sizeof(*perms) + count * sizeof(*entry));

	if (!perms)
		return NULL;
	perms->refs = 1;
	perms->count = count;
	memcpy(perms->entry, entry, count * sizeof(*entry));
	return perms;
}

struct perms *perms_get(struct perms *perms)
{
	perms->refs++;
	return perms;
}

void perms_put(struct perms *perms)
{
	if (perms && !--perms->refs)
		free(perms);
}

static int entry_parse(const char *text, struct perm *entry)
{
	const char *letter = *text ? strchr(letters, *text) : NULL;
	uint64_t domid;

	if (!letter || number_parse(text + 1, DOMID_MAX, &domid))
		return -EINVAL;
	*entry = (struct perm){.domid = domid, .access = letter - letters};
	return 0;
}

int perms_parse(const char *text, size_t size, struct perms **out)
{
	struct perms *perms;
	size_t count = 0;
	int rc = -EINVAL;

	for (size_t i = 0; i < size; i++)
		count += !text[i];
	if (!count || text[size - 1])
		return -EINVAL;

	perms = malloc(sizeof(*perms) + count * sizeof(perms->entry[0]));
	if (!perms)
		return -ENOMEM;
	perms->refs = 1;
	perms->count = count;
	for (size_t i = 0; i < count; i++, text += strlen(text) + 1) {
		rc = entry_parse(text, &perms->entry[i]);
		if (rc)
			goto fail;
	}
	*out = perms;
	return 0;

fail:
	free(perms);
	return rc;
}

int perms_format(const struct perms *perms, char *out, size_t size)
{
	size_t used = 0;

	for (uint32_t i = 0; i < perms->count; i++) {
		const struct perm *entry = &perms->entry[i];
		int n = snprintf(out + used, size - used, "%c%u", letters[entry->access],
				 entry->domid);

		if (n < 0 || used + n + 1 > size)
			return -E2BIG;
		used += n + 1;
	}
	return (int)used;
}

static bool is_actor(uint16_t domid, const struct actor *actor)
{
	return domid == actor->domid || (actor->target != PERM_NOBODY && domid == actor->target);
}

unsigned perms_access(const struct perms *perms, const struct actor *actor)
{
	if (actor->privileged || is_actor(perms_owner(perms), actor))
		return PERM_READ | PERM_WRITE | PERM_OWNER;
	for (uint32_t i = 1; i < perms->count; i++)
		if (!perms->entry[i].ignored && is_actor(perms->entry[i].domid, actor))
			return perms->entry[i].access;
	return perms->entry[0].access;
}

bool perms_mention(const struct perms *perms, uint16_t domid)
{
	for (uint32_t i = 1; i < perms->count; i++)
		if (perms->entry[i].domid == domid)
			return true;
	return false;
}

struct perms *perms_owned(struct perms *perms, uint16_t domid)
{
	struct perms *copy;

	if (perms_owner(perms) == domid)
		return perms_get(perms);
	copy = perms_new(perms->entry, perms->count);
	if (copy)
		copy->entry[0].domid = domid;
	return copy;
}

struct perms *perms_without(struct perms *perms, uint16_t domid)
{
	struct perms *copy = perms_new(perms->entry, perms->count);

	if (!copy)
		return NULL;
	if (perms_owner(copy) == domid)
		copy->entry[0].domid = 0;
	copy->count = 1;
	for (uint32_t i = 1; i < perms->count; i++)
		if (perms->entry[i].domid != domid)
			copy->entry[copy->count++] = perms->entry[i];
	return copy;
}
