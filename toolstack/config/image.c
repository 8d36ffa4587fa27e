#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "toolstack/config/parse.h"

static const char *const type_words[] = {
	[DOMAIN_PROCESS] = "process",
	[DOMAIN_PV] = "pv",
	[DOMAIN_PVH] = "pvh",
	[DOMAIN_HVM] = "hvm",
};

#define TYPES (sizeof(type_words) / sizeof(type_words[0]))

const char *domain_type_word(enum domain_type type)
{
	return type_words[type];
}

static int type_take(struct parse *p)
{
	const char *type = parse_string(p, "type");

	for (size_t i = 0; i < TYPES; i++) {
		if (!strcmp(type, type_words[i])) {
			p->config->type = (enum domain_type)i;
			return 0;
		}
	}
	return fault_set(p->fault, -EINVAL,
			 "%s: type=\"%s\" is unknown; use \"pvh\", \"pv\", \"hvm\" or \"process\"",
			 parse_place(p, "type"), type);
}

/* What type= replaced in xl.cfg(5). */
static int builder_take(struct parse *p)
{
	const char *builder = parse_string(p, "builder");

	if (!builder)
		return fault_set(p->fault, -EINVAL,
				 "%s: no type; add type=\"pvh\", \"pv\", \"hvm\" or \"process\"",
				 parse_place(p, "type"));
	if (strcmp(builder, "generic") != 0 && strcmp(builder, "hvm") != 0)
		return fault_set(
			p->fault, -EINVAL,
			"%s: builder=\"%s\" is unknown; use type=\"pvh\", \"pv\" or \"hvm\"",
			parse_place(p, "builder"), builder);
	p->config->type = *builder == 'h' ? DOMAIN_HVM : DOMAIN_PV;
	return 0;
}

static int ramdisk_take(struct parse *p)
{
	const char *ramdisk = parse_string(p, "ramdisk");

	if (!ramdisk || !*ramdisk)
		return 0;
	p->config->ramdisk_line = parse_line(p, "ramdisk");
	if (p->config->type == DOMAIN_PROCESS)
		return fault_set(p->fault, -EINVAL, "%s: a process guest has no ramdisk; remove it",
				 parse_place(p, "ramdisk"));
	return parse_copy(p, ramdisk, &p->config->ramdisk);
}

static int both_set(struct parse *p, const char *key)
{
	return fault_set(p->fault, -EINVAL, "%s: both cmdline and %s are set; keep one of them",
			 parse_place(p, key), key);
}

/* cmdline is the whole line; root and extra are two parts of it. */
static int cmdline_take(struct parse *p)
{
	const char *cmdline = parse_string(p, "cmdline"), *extra = parse_string(p, "extra");
	const char *root = parse_string(p, "root");

	if (cmdline && extra)
		return both_set(p, "extra");
	if (cmdline && root)
		return both_set(p, "root");
	if (root && p->config->type == DOMAIN_PROCESS)
		return fault_set(p->fault, -EINVAL, "%s: a process guest has no root; remove it",
				 parse_place(p, "root"));
	if (!root)
		return parse_copy(p, cmdline ? cmdline : extra ? extra : "", &p->config->cmdline);
	if (asprintf(&p->config->cmdline, "root=%s%s%s", root, extra ? " " : "",
		     extra ? extra : "") < 0) {
		p->config->cmdline = NULL;
		return fault_memory(p->fault);
	}
	return 0;
}

/* A bootloader finds the kernel in the guest's disk; so does a firmware. */
static int kernel_take(struct parse *p)
{
	const char *kernel = parse_string(p, "kernel");
	bool found_later = p->config->type == DOMAIN_HVM || parse_string(p, "bootloader") ||
			   parse_string(p, "firmware");

	p->config->kernel_line = parse_line(p, "kernel");
	if (kernel && *kernel)
		return parse_copy(p, kernel, &p->config->kernel);
	if (found_later)
		return 0;
	return parse_required(p, "kernel",
			      p->config->type == DOMAIN_PROCESS ? "xsplit-guest" : "/boot/vmlinuz",
			      &p->config->kernel);
}

int parse_image(struct parse *p)
{
	int rc = parse_string(p, "type") ? type_take(p) : builder_take(p);

	if (!rc)
		rc = kernel_take(p);
	if (!rc)
		rc = ramdisk_take(p);
	if (!rc)
		rc = cmdline_take(p);
	return rc;
}
