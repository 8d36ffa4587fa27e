#include "embedded/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "embedded/wire.h"

int client_open(struct client *client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv(WIRE_ENVIRONMENT);
	int rc = -ENOENT;

	client->fd = -1;
	if (!path || !*path)
		goto out;
	rc = -ENAMETOOLONG;
	if (strlen(path) >= sizeof(address.sun_path))
		goto out;
	memcpy(address.sun_path, path, strlen(path));

	client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		goto failed;
	while ((rc = connect(client->fd, (struct sockaddr *)&address, sizeof(address))) &&
	       errno == EINTR)
		;
	if (rc)
		goto failed;
	pthread_mutex_init(&client->lock, NULL);
	return 0;

failed:
	rc = -errno;
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
out:
	return rc;
}

void client_close(struct client *client)
{
	if (client->fd < 0)
		return;
	close(client->fd);
	client->fd = -1;
	pthread_mutex_destroy(&client->lock);
}

static void fds_close(struct client_fds *fds)
{
	while (fds->count)
		close(fds->fd[--fds->count]);
}

int client_call(struct client *client, const void *request, size_t request_size, void *reply,
		size_t reply_size, const struct client_fds *send, struct client_fds *receive)
{
	struct client_fds came = {.count = 0};
	int32_t result;
	int rc;

	pthread_mutex_lock(&client->lock);
	rc = fdpass_send(client->fd, request, request_size, send ? send->fd : NULL,
			 send ? send->count : 0);
	if (!rc)
		rc = fdpass_receive(client->fd, reply, reply_size, came.fd, &came.count);
	pthread_mutex_unlock(&client->lock);
	if (rc)
		return rc;

	memcpy(&result, reply, sizeof(result));
	if (result < 0 || !receive)
		fds_close(&came);
	if (receive)
		*receive = came;
	return result;
}

int client_domain_open(struct client *client, uint32_t domid, struct client_domain *domain)
{
	struct wire_domain_open request = {.opcode = WIRE_DOMAIN_OPEN, .domid = domid};
	struct wire_domain_opened reply;
	struct client_fds fds;
	void *table;
	int rc;

	rc = client_call(client, &request, sizeof(request), &reply, sizeof(reply), NULL, &fds);
	if (rc)
		return rc;
	rc = -EPROTO;
	if (fds.count != 2)
		goto out;
	table = mmap(NULL, shared_table_size(reply.frames), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fds.fd[0], 0);
	if (table == MAP_FAILED) {
		rc = -errno;
		goto out;
	}
	domain->domid = reply.domid;
	domain->serial = reply.serial;
	domain->frames = reply.frames;
	domain->table = table;
	domain->memory = fds.fd[1];
	fds.count = 1;
	rc = 0;
out:
	fds_close(&fds);
	return rc;
}

void client_domain_close(struct client_domain *domain)
{
	munmap(domain->table, shared_table_size(domain->frames));
	close(domain->memory);
}
