#include "embedded/launcher/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embedded/launcher/directory.h"
#include "embedded/launcher/dom0.h"
#include "embedded/launcher/namespaces.h"
#include "lib/log.h"

struct watch {
	const struct options *options;
	char dir[DIRECTORY_MAX + 1];
	sigset_t inherited; /* the mask that the command gets back */
	int signals;        /* signalfd */
	int alive[2]; /* a pipe; its writing end is open as long as the user's process lives */
};

static int block_signals(struct watch *watch)
{
	static const int ours[] = {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP};
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&mask, ours[i]);
	sigprocmask(SIG_BLOCK, &mask, &watch->inherited);
	watch->signals = signalfd(-1, &mask, SFD_CLOEXEC);
	return watch->signals < 0 ? -errno : 0;
}

/* In the watchdog: process 1 of the host; its pid, or a negative errno. */
static pid_t init_start(struct watch *watch)
{
	int outer[2];
	pid_t pid;

	if (pipe2(outer, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		struct pollfd watchdog = {.fd = outer[0]};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(outer[1]);
		/* Had it died before the line above, its end of the pipe would be closed. */
		if (poll(&watchdog, 1, 0) > 0)
			_exit(LAUNCHER_FAILED);
		close(outer[0]);
		close(watch->alive[0]);
		_exit(dom0_run(watch->options, watch->dir, watch->signals, &watch->inherited));
	}
	close(outer[0]);
	return pid;
}

/* Until the host ends by itself, or the user's process is gone and it has to. */
static int init_wait(struct watch *watch, pid_t pid)
{
	struct pollfd polled[] = {{.fd = watch->signals, .events = POLLIN},
				  {.fd = watch->alive[0]}};
	struct signalfd_siginfo info;
	int status;

	for (;;) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			polled[1].revents = POLLHUP;
		if (polled[1].revents) {
			kill(pid, SIGKILL);
			polled[1].fd = -1;
		}
		if (polled[0].revents && read(watch->signals, &info, sizeof(info)) < 0)
			continue;
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (polled[1].fd >= 0)
		log_error("the host was killed (signal %d)", WTERMSIG(status));
	return LAUNCHER_FAILED;
}

static void directory_end(const struct watch *watch)
{
	if (!watch->options->keep)
		directory_remove(watch->dir);
}

static int watchdog_run(struct watch *watch)
{
	int status = LAUNCHER_FAILED;
	pid_t pid;

	close(watch->alive[1]);
	if (namespaces_enter())
		goto out;
	pid = init_start(watch);
	if (pid < 0) {
		log_error("cannot start the host: %s", strerror(-pid));
		goto out;
	}
	/* Only now: process 1 and the command stay in the terminal's session. */
	setsid();
	status = init_wait(watch, pid);
out:
	directory_end(watch);
	return status;
}

/*
 * A signal from the terminal reaches the command too, which may well go on after a Ctrl-C; one
 * that was sent to us alone means us.
 */
static bool told_to_stop(const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGINT:
	case SIGQUIT:
		return info->ssi_code != SI_KERNEL;
	case SIGTERM:
	case SIGHUP:
		return true;
	default:
		return false;
	}
}

/* In the user's process. */
static int watchdog_wait(struct watch *watch, pid_t watchdog)
{
	struct signalfd_siginfo info;
	int stopped = 0;
	int status;

	for (;;) {
		if (read(watch->signals, &info, sizeof(info)) < 0)
			continue;
		if (told_to_stop(&info) && !stopped) {
			stopped = (int)info.ssi_signo;
			close(watch->alive[1]);
		}
		if (waitpid(watchdog, &status, WNOHANG) == watchdog)
			break;
	}
	if (WIFSIGNALED(status)) {
		/* Process 1 dies with it, is ours now, and takes the host's processes along. */
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
		log_error("the watchdog was killed (signal %d): the host is gone",
			  WTERMSIG(status));
		directory_end(watch);
		return LAUNCHER_FAILED;
	}
	if (stopped) {
		signal(stopped, SIG_DFL);
		sigprocmask(SIG_SETMASK, &watch->inherited, NULL);
		raise(stopped);
	}
	return WEXITSTATUS(status);
}

/* A shell in the host may have left the terminal to a process group that is gone. */
static void terminal_take_back(void)
{
	if (isatty(STDIN_FILENO)) {
		signal(SIGTTOU, SIG_IGN);
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	}
}

int watch_run(const struct options *options)
{
	struct watch watch = {.options = options};
	bool foreground = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
	int status;
	pid_t pid;

	machine_look();
	if (directory_make(options->keep, watch.dir))
		return LAUNCHER_FAILED;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (block_signals(&watch) || pipe2(watch.alive, O_CLOEXEC) || (pid = fork()) < 0) {
		log_error("cannot start: %s", strerror(errno));
		directory_end(&watch);
		return LAUNCHER_FAILED;
	}
	if (!pid)
		_exit(watchdog_run(&watch));
	close(watch.alive[0]);
	status = watchdog_wait(&watch, pid);
	if (foreground)
		terminal_take_back();
	return status;
}
