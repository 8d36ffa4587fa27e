/* Agents as their test sees them: see agent.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/embedded/agent.h"

int agent_start(struct agent *agent)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	agent->pid = fork();
	if (agent->pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return -errno;
	}
	if (!agent->pid) {
		prctl(PR_SET_PDEATHSIG,
		      SIGKILL); /* a test that is killed leaves no agent spinning */
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", agent->command, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	agent->in = agent->out = pair[0];
	return 0;
}

void agent_stop(struct agent *agent)
{
	if (agent->pid <= 0)
		return;
	close(agent->in);
	while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
		;
	agent->pid = 0;
}

int agent_tell(struct agent *agent, const struct agent_request *request)
{
	const char *data = (const char *)request;

	for (size_t sent = 0; sent < sizeof(*request);) {
		ssize_t n = send(agent->out, data + sent, sizeof(*request) - sent, MSG_NOSIGNAL);

		if (n <= 0)
			return -EPIPE;
		sent += (size_t)n;
	}
	return 0;
}

int agent_hear(struct agent *agent)
{
	ssize_t n = recv(agent->in, &agent->reply, sizeof(agent->reply), MSG_WAITALL);

	return n == (ssize_t)sizeof(agent->reply) ? agent->reply.rc : -EPIPE;
}

int agent_ask(struct agent *agent, const struct agent_request *request)
{
	return agent_tell(agent, request) ? -EPIPE : agent_hear(agent);
}

int agent_do(struct agent *agent, enum agent_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	const struct agent_request request = {.op = op, .a = a, .b = b, .c = c, .d = d};

	return agent_ask(agent, &request);
}
