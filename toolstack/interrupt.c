#include "toolstack/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

int interrupt_hold(struct interrupt *interrupt)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &held, &interrupt->before))
		return -errno;
	interrupt->fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
	if (interrupt->fd < 0) {
		int rc = -errno;

		sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
		return rc;
	}
	return 0;
}

bool interrupt_came(const struct interrupt *interrupt)
{
	struct pollfd polled = {.fd = interrupt->fd, .events = POLLIN};

	return interrupt->fd >= 0 && poll(&polled, 1, 0) > 0;
}

void interrupt_release(struct interrupt *interrupt)
{
	struct signalfd_siginfo info;

	if (interrupt->fd < 0)
		return;
	while (read(interrupt->fd, &info, sizeof(info)) > 0)
		;
	close(interrupt->fd);
	interrupt->fd = -1;
	sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
}
