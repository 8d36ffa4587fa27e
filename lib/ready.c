#include "lib/ready.h"

#include <unistd.h>

void ready_announce(int fd)
{
	if (fd < 0)
		return;
	(void)!write(fd, "\n", 1); /* who started us may be gone: not our trouble */
	close(fd);
}
