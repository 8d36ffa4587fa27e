#include "toolstack/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Longer than any step of a create or destroy that nobody announced (xl's). */
#define AGAIN_SECONDS 2

struct finding *doctor_add(struct doctor *d, int domid,
			   int (*repair)(struct doctor *doctor, const struct finding *finding,
					 struct fault *fault),
			   const char *object, const char *words, ...)
{
	struct finding *grown = realloc(d->found.finding, (d->found.count + 1) * sizeof(*grown));
	struct finding *f;
	va_list args;

	if (!grown)
		return NULL;
	d->found.finding = grown;
	f = &grown[d->found.count++];
	*f = (struct finding){.domid = domid, .repair = repair};
	snprintf(f->object, sizeof(f->object), "%s", object);
	va_start(args, words);
	vsnprintf(f->words, sizeof(f->words), words, args);
	va_end(args);
	return f;
}

bool doctor_lives(const struct doctor *d, unsigned domid)
{
	for (size_t i = 0; i < d->lives; i++)
		if (d->live[i].domid == domid)
			return true;
	return false;
}

int doctor_look(struct toolstack *ts, struct findings *found, struct fault *fault)
{
	struct doctor d = {.ts = ts};
	int rc = xen_domain_list(ts->xen, &d.live, &d.lives, fault);

	if (rc)
		return rc;
	rc = doctor_domains(&d, fault);
	if (!rc)
		rc = doctor_nodes(&d, fault);
	if (!rc)
		rc = doctor_index(&d, fault);
	if (!rc)
		rc = doctor_host(&d, fault);
	if (!rc)
		rc = doctor_files(&d, fault);
	free(d.live);
	if (rc)
		free(d.found.finding);
	else
		*found = d.found;
	return rc;
}

static bool is_among(const struct findings *all, const struct finding *one)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->finding[i].repair == one->repair &&
		    !strcmp(all->finding[i].object, one->object))
			return true;
	return false;
}

int doctor_examine(struct toolstack *ts, struct findings *found, struct fault *fault)
{
	const struct timespec again = {.tv_sec = AGAIN_SECONDS};
	struct findings first;
	size_t kept = 0;
	int rc = doctor_look(ts, &first, fault);

	if (rc || !first.count) {
		if (!rc)
			*found = first;
		return rc;
	}
	nanosleep(&again, NULL);
	rc = doctor_look(ts, found, fault);
	for (size_t i = 0; !rc && i < found->count; i++)
		if (is_among(&first, &found->finding[i]))
			found->finding[kept++] = found->finding[i];
	if (!rc)
		found->count = kept;
	free(first.finding);
	return rc;
}

int doctor_repair(struct toolstack *ts, const struct finding *finding, struct fault *fault)
{
	struct doctor d = {.ts = ts};
	int rc = xen_domain_list(ts->xen, &d.live, &d.lives, fault);

	if (rc)
		return rc;
	rc = finding->repair(&d, finding, fault);
	free(d.live);
	return rc;
}
