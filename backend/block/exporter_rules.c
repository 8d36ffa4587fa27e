/* What qemu-img and qemu-nbd may have of the file system. */
#include <stdio.h>
#include <string.h>

#include "backend/block/exporter_internal.h"

void exporter_rule(struct exporter *exporter, const char *path, enum confine_access access)
{
	if (exporter->rules < EXPORTER_RULES_MAX)
		exporter->rule[exporter->rules++] = (struct confine_rule){path, access};
}

/* What any program needs, and a name service where there is a network. */
static void rules_begin(struct exporter *exporter, bool network)
{
	static const char *const read[] = {"/usr/lib", "/usr/lib64",  "/usr/share/qemu",
					   "/lib",     "/lib64",      "/etc/ld.so.cache",
					   "/sys",     "/dev/urandom"};
	static const char *const read_network[] = {
		"/etc/resolv.conf", "/etc/hosts",           "/etc/nsswitch.conf",  "/etc/host.conf",
		"/etc/gai.conf",    "/etc/services",        "/etc/ceph",           EXPORTER_PKI,
		"/etc/gnutls",      "/etc/crypto-policies", "/run/systemd/resolve"};

	exporter->rules = 0;
	exporter_rule(exporter, exporter->program, CONFINE_EXECUTE);
	exporter_rule(exporter, "/lib64/ld-linux-x86-64.so.2", CONFINE_EXECUTE);
	exporter_rule(exporter, "/lib/ld-linux-aarch64.so.1", CONFINE_EXECUTE);
	exporter_rule(exporter, "/dev/null", CONFINE_WRITE);
	for (size_t n = 0; n < sizeof(read) / sizeof(read[0]); n++)
		exporter_rule(exporter, read[n], CONFINE_READ);
	for (size_t n = 0; network && n < sizeof(read_network) / sizeof(read_network[0]); n++)
		exporter_rule(exporter, read_network[n], CONFINE_READ);
}

void exporter_folder(const char *path, char folder[SOURCE_PART_SIZE])
{
	char *slash;

	snprintf(folder, SOURCE_PART_SIZE, "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
}

static void rules_files(struct exporter *exporter, bool write)
{
	for (unsigned n = 0; n < exporter->files; n++)
		exporter_rule(exporter, exporter->file[n],
			      write && !n ? CONFINE_WRITE : CONFINE_READ);
	/* A VMDK's extents lie beside it, named in the text of the image. */
	if (exporter->source.format && !strcmp(exporter->source.format, "vmdk")) {
		exporter_folder(exporter->source.path, exporter->folder);
		exporter_rule(exporter, exporter->folder, write ? CONFINE_WRITE : CONFINE_READ);
	}
}

/* The files that its address names; those of /etc/ceph are there already. */
static void rules_ceph(struct exporter *exporter)
{
	if (source_rbd_option(&exporter->source, "conf", exporter->conf))
		exporter_rule(exporter, exporter->conf, CONFINE_READ);
	if (source_rbd_option(&exporter->source, "keyring", exporter->keyring))
		exporter_rule(exporter, exporter->keyring, CONFINE_READ);
}

void exporter_rules(struct exporter *exporter, bool network, bool write)
{
	rules_begin(exporter, network);
	rules_files(exporter, write);
	if (exporter->source.kind == SOURCE_RBD)
		rules_ceph(exporter);
}

int exporter_confine(struct exporter *exporter, const char *name)
{
	const struct confine_options options = {
		.name = name,
		.user = exporter->user,
		.network = source_network(&exporter->source),
		.rules = exporter->rule,
		.count = exporter->rules,
		.owned = exporter->files ? exporter->file[0] : NULL,
	};

	return exporter->sandboxed ? confine_enter(&options) : 0;
}
