#include "toolstack/domain/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/argv.h"
#include "toolstack/io.h"

/* How long a command that hung up is given to end. */
#define END_MS      500
#define END_LOOK_MS 20

static void command_compose(struct argv *argv, const char *shell, const char *host,
			    const char *const *words)
{
	argv_add(argv, "sh");
	argv_add(argv, "-c");
	/* The words behind come as they are; SHELL and HOST are the user's own command. */
	if (*shell)
		argv_add(argv, "exec %s %s xsplit migrate-receive \"$@\"", shell, host);
	else
		argv_add(argv, "exec %s \"$@\"", host);
	argv_add(argv, "sh");
	for (; *words; words++)
		argv_add(argv, "%s", *words);
}

/* Between fork and exec. */
static void become_command(const struct argv *argv, int in, int out)
{
	sigset_t none;

	/* A signal at the terminal is the sender's to answer, and peer_end() ends all of it. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execv("/bin/sh", argv->word);
	_exit(127);
}

int peer_start(struct peer *peer, const char *shell, const char *host, const char *const *words,
	       struct fault *fault)
{
	int to[2] = {-1, -1}, from[2] = {-1, -1}, rc = 0;
	struct argv argv = {0};

	*peer = (struct peer){.name = host, .in = -1, .out = -1, .end_ms = PEER_END_MS};
	command_compose(&argv, shell, host, words);
	if (argv.rc || pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) {
		rc = argv.rc ? argv.rc : -errno;
		goto out;
	}
	fflush(NULL);
	peer->pid = fork();
	if (!peer->pid)
		become_command(&argv, to[0], from[1]);
	if (peer->pid < 0) {
		rc = -errno;
		peer->pid = 0;
		goto out;
	}
	peer->in = from[0];
	peer->out = to[1];
	from[0] = to[1] = -1;
out:
	for (int i = 0; i < 2; i++) {
		if (to[i] >= 0)
			close(to[i]);
		if (from[i] >= 0)
			close(from[i]);
	}
	argv_free(&argv);
	return rc ? fault_set(fault, rc, "%s: cannot run its command: %s", host, strerror(-rc)) : 0;
}

/* Return: false when it has not ended by then. */
static bool end_wait(const struct peer *peer, unsigned ms, int *status)
{
	static const struct timespec apart = {.tv_nsec = END_LOOK_MS * 1000000};
	pid_t ended = 0;

	for (unsigned i = 0; i <= ms / END_LOOK_MS && !ended; i++) {
		ended = waitpid(peer->pid, status, WNOHANG);
		if (!ended)
			nanosleep(&apart, NULL);
	}
	return ended != 0;
}

void peer_end(struct peer *peer)
{
	int status;

	if (peer->out >= 0)
		close(peer->out);
	if (peer->in >= 0)
		close(peer->in);
	peer->in = peer->out = -1;
	/* A network that is gone may keep it for ever, and the guest stands still meanwhile. */
	if (peer->pid && !end_wait(peer, peer->end_ms, &status)) {
		kill(-peer->pid, SIGKILL);
		waitpid(peer->pid, NULL, 0);
	}
	peer->pid = 0;
}

int peer_say(struct peer *peer, const char *line, struct fault *fault)
{
	char text[PEER_LINE + 1];
	int n = snprintf(text, sizeof(text), "%s\n", line), rc;

	if (n >= (int)sizeof(text)) {
		n = (int)sizeof(text) - 1;
		text[n - 1] = '\n';
	}
	rc = io_write(peer->out, text, (size_t)n);
	return rc ? fault_set(fault, rc, "%s: %s", peer->name,
			      rc == -EPIPE ? "it hung up" : strerror(-rc))
		  : 0;
}

/* Why it hung up, when its command has ended by itself or does so in a moment: in words. */
static void end_tell(struct peer *peer, char *words, size_t size)
{
	int status = 0;

	*words = '\0';
	if (!peer->pid || !end_wait(peer, END_MS, &status))
		return;
	peer->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(words, size, "; its command was killed by signal %d", WTERMSIG(status));
	else
		snprintf(words, size, "; its command ended with exit status %d",
			 WEXITSTATUS(status));
}

/* The stream behind a line is not ours to read: one byte at a time. */
static int byte_hear(struct toolstack *ts, struct peer *peer, char *byte)
{
	struct pollfd polled[] = {{.fd = peer->in, .events = POLLIN},
				  {.fd = ts->interrupt.fd, .events = POLLIN}};
	ssize_t n;

	for (;;) {
		poll(polled, 2, -1);
		if (interrupt_came(&ts->interrupt))
			return -EINTR;
		if (!polled[0].revents)
			continue;
		n = read(peer->in, byte, 1);
		if (n == 1)
			return 0;
		if (n == 0)
			return -ECONNRESET;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

int peer_hear(struct toolstack *ts, struct peer *peer, char line[PEER_LINE], struct fault *fault)
{
	char end[64];
	size_t n = 0;
	int rc = 0;

	while (!rc && n < PEER_LINE) {
		rc = byte_hear(ts, peer, &line[n]);
		if (!rc && line[n] == '\n') {
			line[n] = '\0';
			return 0;
		}
		n++;
	}
	switch (rc) {
	case 0:
		return fault_set(fault, -EPROTO, "%s: it does not speak as xsplit does",
				 peer->name);
	case -EINTR:
		return fault_set(fault, rc, "interrupted");
	case -ECONNRESET:
		end_tell(peer, end, sizeof(end));
		return fault_set(fault, rc, "%s: the connection ended%s", peer->name, end);
	default:
		return fault_set(fault, rc, "%s: %s", peer->name, strerror(-rc));
	}
}

int peer_expect(struct toolstack *ts, struct peer *peer, const char *word, struct fault *fault)
{
	static const char failed[] = "failed ";
	char line[PEER_LINE];
	int rc = peer_hear(ts, peer, line, fault);

	if (rc || !strcmp(line, word))
		return rc;
	if (!strncmp(line, failed, sizeof(failed) - 1))
		return fault_set(fault, -EREMOTEIO, "%s: %s", peer->name,
				 line + sizeof(failed) - 1);
	return fault_set(fault, -EPROTO, "%s: it says \"%.100s\" instead of \"%s\"", peer->name,
			 line, word);
}
