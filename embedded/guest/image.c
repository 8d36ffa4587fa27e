/* What a guest is to run: xc_dom_kernel_file, xc_dom_parse_image and what belongs to them. */
#include "embedded/guest/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/io/protocols.h>

#include "embedded/guest/words.h"

/* Of what execve(2) takes: ELF, or a script that names its interpreter. */
static int program_check(const char *path, size_t *size)
{
	char magic[4] = "";
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat))
		rc = -errno;
	else if (!S_ISREG(stat.st_mode) || access(path, X_OK))
		rc = -EACCES;
	else if (read(fd, magic, sizeof(magic)) < 2 ||
		 (memcmp(magic, "\177ELF", 4) != 0 && memcmp(magic, "#!", 2) != 0))
		rc = -ENOEXEC;
	close(fd);
	*size = (size_t)stat.st_size;
	return rc;
}

/* Absolute, for it is started elsewhere; links are kept, for some programs go by their name. */
static int program_path(const char *filename, char *path, size_t size)
{
	char folder[PATH_MAX] = "";
	int n;

	if (*filename != '/' && !getcwd(folder, sizeof(folder)))
		return -errno;
	n = snprintf(path, size, "%s%s%s", folder, *folder ? "/" : "", filename);
	return n < (int)size ? 0 : -ENAMETOOLONG;
}

int xc_dom_kernel_file(struct xc_dom_image *dom, const char *filename)
{
	char path[PATH_MAX];
	int rc = program_path(filename, path, sizeof(path));

	if (!rc)
		rc = program_check(path, &dom->kernel_size);
	if (rc)
		return image_fail(dom, rc,
				  "kernel %s: %s; a guest here is a process: name an executable "
				  "program",
				  filename, strerror(-rc));
	dom->kernel_blob = xc_dom_strdup(dom, path);
	return dom->kernel_blob ? 0 : -1;
}

int xc_dom_kernel_mem(struct xc_dom_image *dom, const void *mem, size_t memsize)
{
	return image_fail(dom, -ENOTSUP,
			  "a kernel in memory cannot be run: a guest here is a program in a file");
}

int xc_dom_module_file(struct xc_dom_image *dom, const char *filename, const char *cmdline)
{
	return image_fail(dom, -ENOTSUP, "ramdisk %s: a process guest has no use for one",
			  filename);
}

int xc_dom_module_mem(struct xc_dom_image *dom, const void *mem, size_t memsize,
		      const char *cmdline)
{
	return image_fail(dom, -ENOTSUP, "a process guest has no use for a ramdisk");
}

int xc_dom_parse_image(struct xc_dom_image *dom)
{
	struct image_program *program = xc_dom_malloc(dom, sizeof(*program));
	const char *path = dom->kernel_blob;
	int rc = 0;

	if (!program)
		return -1;
	if (!path)
		return image_fail(dom, -EINVAL, "no kernel was named");
	program->length = strlen(path) + 1;
	program->count = 1;
	if (program->length > sizeof(program->text))
		rc = -E2BIG;
	else
		memcpy(program->text, path, program->length);
	if (!rc && dom->cmdline)
		rc = words_split(dom->cmdline, program->text, sizeof(program->text),
				 &program->length, &program->count);
	if (rc == -EINVAL)
		return image_fail(dom, rc, "command line: a quote is not closed: %s", dom->cmdline);
	if (rc)
		return image_fail(dom, rc, "kernel and command line: more than %d bytes",
				  WIRE_PROGRAM_MAX);
	dom->private_loader = program;
	return 0;
}

char *xc_dom_guest_os(struct xc_dom_image *dom)
{
	return strdup("process");
}

bool xc_dom_feature_get(struct xc_dom_image *dom, unsigned int nr)
{
	return false;
}

/* Frame numbers are what maps and grants take: there is no second numbering behind them. */
bool xc_dom_translated(const struct xc_dom_image *dom)
{
	return true;
}

const char *xc_domain_get_native_protocol(xc_interface *xch, uint32_t domid)
{
	return XEN_IO_PROTO_ABI_NATIVE;
}

/* The guest's processes see the machine's processor: there is no policy that could be applied. */
int xc_cpuid_apply_policy(xc_interface *xch, uint32_t domid, bool restore,
			  const uint32_t *featureset, unsigned int nr_features, bool pae, bool itsc,
			  bool nested_virt, const struct xc_xend_cpuid *cpuid,
			  const struct xc_msr *msr)
{
	return 0;
}
