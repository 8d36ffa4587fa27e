/* without SYSCALL COMMAND [ARGUMENT...]: run a command to whose processes the kernel refuses a
 * system call (EPERM). */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int call, rc;

	if (argc < 3 || !filter) {
		fprintf(stderr, "usage: without SYSCALL COMMAND [ARGUMENT...]\n");
		return 2;
	}
	call = seccomp_syscall_resolve_name(argv[1]);
	rc = call == __NR_SCMP_ERROR ? -EINVAL
				     : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
	if (!rc)
		rc = seccomp_load(filter);
	if (rc) {
		fprintf(stderr, "without: %s: %s\n", argv[1], strerror(-rc));
		return 2;
	}
	execvp(argv[2], argv + 2);
	fprintf(stderr, "without: %s: %s\n", argv[2], strerror(errno));
	return 2;
}
