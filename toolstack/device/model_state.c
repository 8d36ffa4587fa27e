#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_gen.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/device/model.h"
#include "toolstack/device/model_args.h"
#include "toolstack/device/qmp.h"
#include "toolstack/json.h"

/* The set of descriptors that a state is passed in. */
#define STATE_SET 7

/* The same for a medium. */
#define MEDIUM_SET 8

int model_connect(uint16_t domid, struct qmp **qmp, struct fault *fault)
{
	char path[64], what[64];

	model_socket(domid, path, sizeof(path));
	snprintf(what, sizeof(what), "domain %u: its device model", domid);
	return qmp_open(qmp, path, what, fault);
}

/* One command that answers nothing. */
static int tell(uint16_t domid, const char *command, const char *arguments, struct fault *fault)
{
	struct qmp *qmp;
	int rc = model_connect(domid, &qmp, fault);

	if (rc)
		return rc;
	rc = qmp_send(qmp, command, arguments, -1, NULL, fault);
	qmp_close(qmp);
	return rc;
}

int model_continue(uint16_t domid, struct fault *fault)
{
	return tell(domid, "cont", NULL, fault);
}

int model_logdirty(uint16_t domid, bool on, struct fault *fault)
{
	return tell(domid, "xen-set-global-dirty-log",
		    on ? "{\"enable\":true}" : "{\"enable\":false}", fault);
}

static const char *text_of(yajl_val object, const char *name)
{
	const char *path[] = {name, NULL};
	yajl_val found = yajl_tree_get(object, path, yajl_t_string);

	return found ? YAJL_GET_STRING(found) : NULL;
}

/* A saved state is loaded while it says "inmigrate". */
static int state_wait(struct qmp *qmp, uint16_t domid, struct fault *fault)
{
	static const struct timespec while_loading = {.tv_nsec = 20000000};
	bool loading = true;
	yajl_val answer;
	int rc = 0;

	for (int i = 0; loading && !rc; i++) {
		const char *status;

		rc = qmp_send(qmp, "query-status", NULL, -1, &answer, fault);
		if (rc)
			break;
		status = text_of(answer, "status");
		loading = status && !strcmp(status, "inmigrate");
		yajl_tree_free(answer);
		if (loading && i * 20 >= QMP_SECONDS * 1000)
			rc = fault_set(fault, -ETIMEDOUT,
				       "domain %u: its device model takes its saved state for "
				       "longer than %d s",
				       domid, QMP_SECONDS);
		else if (loading)
			nanosleep(&while_loading, NULL);
	}
	return rc;
}

/* QEMU takes no password on its command line. */
static int password_set(struct qmp *qmp, const char *password, struct fault *fault)
{
	yajl_gen json = yajl_gen_alloc(NULL);
	const unsigned char *text;
	char *arguments = NULL;
	size_t length;
	int rc = -ENOMEM;

	if (!json)
		return fault_memory(fault);
	yajl_gen_map_open(json);
	json_string(json, "protocol", "vnc");
	json_string(json, "password", password);
	yajl_gen_map_close(json);
	if (yajl_gen_get_buf(json, &text, &length) == yajl_gen_status_ok)
		arguments = strndup((const char *)text, length);
	yajl_gen_free(json);
	rc = arguments ? qmp_send(qmp, "set_password", arguments, -1, NULL, fault)
		       : fault_memory(fault);
	free(arguments);
	return rc;
}

/* An address or a name, and no option of whoever is told to connect to it. */
static bool is_host(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.:_%-";
	size_t length = strspn(text, letters);

	return length > 0 && length < 256 && !text[length] && *text != '-';
}

/* Where the VNC server listens, for xl vncviewer and ours. */
static int vnc_publish(struct toolstack *ts, struct qmp *qmp, uint16_t domid, struct fault *fault)
{
	const char *host, *port;
	yajl_val answer;
	uint16_t number;
	int rc = qmp_send(qmp, "query-vnc", NULL, -1, &answer, fault);

	if (rc)
		return rc;
	host = text_of(answer, "host");
	port = text_of(answer, "service");
	if (host && port && is_host(host) && !number_parse_u16(port, &number)) {
		rc = xs_write_string(ts->xs, XBT_NULL, host, "/local/domain/%u/console/vnc-listen",
				     domid);
		if (!rc)
			rc = xs_write_number(ts->xs, XBT_NULL, number,
					     "/local/domain/%u/console/vnc-port", domid);
	}
	yajl_tree_free(answer);
	return rc;
}

/* "serial0" on "pty:/dev/pts/3": where xenconsole --type serial finds it. */
static int serial_publish(struct toolstack *ts, yajl_val device, uint16_t domid)
{
	const char *label = text_of(device, "label"), *file = text_of(device, "filename");
	static const char pty[] = "pty:/dev/pts/";
	uint16_t port, number;

	if (!label || !file || strncmp(label, "serial", 6) != 0 ||
	    number_parse_u16(label + 6, &port) || strncmp(file, pty, sizeof(pty) - 1) != 0 ||
	    number_parse_u16(file + sizeof(pty) - 1, &number))
		return 0;
	return xs_write_string(ts->xs, XBT_NULL, file + 4, "/local/domain/%u/serial/%u/tty", domid,
			       port);
}

static int serials_publish(struct toolstack *ts, struct qmp *qmp, uint16_t domid,
			   struct fault *fault)
{
	yajl_val answer;
	int rc = qmp_send(qmp, "query-chardev", NULL, -1, &answer, fault);

	if (rc)
		return rc;
	for (size_t i = 0; YAJL_IS_ARRAY(answer) && i < answer->u.array.len && !rc; i++)
		rc = serial_publish(ts, answer->u.array.values[i], domid);
	yajl_tree_free(answer);
	return rc;
}

int model_ready(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		struct fault *fault)
{
	const char *password = config_text(config, OPTION_VNCPASSWD);
	struct qmp *qmp;
	int rc = model_connect(domid, &qmp, fault);

	if (rc)
		return rc;
	rc = state_wait(qmp, domid, fault);
	if (!rc && model_wants_vnc(config) && password && *password)
		rc = password_set(qmp, password, fault);
	if (!rc && model_wants_vnc(config))
		rc = vnc_publish(ts, qmp, domid, fault);
	if (!rc)
		rc = serials_publish(ts, qmp, domid, fault);
	if (!rc)
		rc = qmp_send(qmp, "cont", NULL, -1, NULL, fault);
	qmp_close(qmp);
	return rc;
}

/* QEMU in its empty root opens nothing by a path: the file goes to it as a descriptor. */
static int state_pass(struct qmp *qmp, int fd, struct fault *fault)
{
	char path[32], arguments[96];
	int rc, writable;

	/* It looks for one that is open for writing only. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	writable = open(path, O_WRONLY | O_CLOEXEC);
	if (writable < 0)
		return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	snprintf(arguments, sizeof(arguments), "{\"fdset-id\":%d}", STATE_SET);
	rc = qmp_send(qmp, "add-fd", arguments, writable, NULL, fault);
	close(writable);
	if (rc)
		return rc;
	/* Its set goes with the connection. */
	snprintf(arguments, sizeof(arguments), "{\"filename\":\"/dev/fdset/%d\",\"live\":false}",
		 STATE_SET);
	return qmp_send(qmp, "xen-save-devices-state", arguments, -1, NULL, fault);
}

int model_save(uint16_t domid, int *state_fd, struct fault *fault)
{
	struct qmp *qmp;
	int fd, rc = model_connect(domid, &qmp, fault);

	if (rc)
		return rc;
	fd = memfd_create("device-model-state", MFD_CLOEXEC);
	if (fd < 0)
		rc = fault_set(fault, -errno, "domain %u: no memory for its device model: %s",
			       domid, strerror(errno));
	if (!rc)
		rc = qmp_send(qmp, "stop", NULL, -1, NULL, fault);
	if (!rc)
		rc = state_pass(qmp, fd, fault);
	if (!rc && lseek(fd, 0, SEEK_SET))
		rc = -errno;
	qmp_close(qmp);
	if (rc && fd >= 0)
		close(fd);
	else if (!rc)
		*state_fd = fd;
	return rc;
}

/* The drive, and what it shall hold: JSON for free(3), or NULL. */
static char *medium_arguments(const struct disk_config *disk, const char *file)
{
	yajl_gen json = yajl_gen_alloc(NULL);
	const unsigned char *text;
	char id[64], *arguments = NULL;
	size_t length;

	if (!json)
		return NULL;
	snprintf(id, sizeof(id), MODEL_DISK "%s", disk->vdev);
	yajl_gen_map_open(json);
	json_string(json, "id", id);
	if (file) {
		json_string(json, "filename", file);
		json_string(json, "format", disk_format_word(disk->format));
		json_string(json, "read-only-mode", "read-only");
	}
	yajl_gen_map_close(json);
	if (yajl_gen_get_buf(json, &text, &length) == yajl_gen_status_ok)
		arguments = strndup((const char *)text, length);
	yajl_gen_free(json);
	return arguments;
}

static int medium_set(struct qmp *qmp, const struct disk_config *disk, const char *file,
		      struct fault *fault)
{
	char *arguments = medium_arguments(disk, file);
	int rc = arguments ? qmp_send(qmp, file ? "blockdev-change-medium" : "eject", arguments, -1,
				      NULL, fault)
			   : fault_memory(fault);

	free(arguments);
	return rc;
}

/* A file goes to it as a descriptor, as a state does; its set stays while the drive has it. */
static int medium_pass(struct qmp *qmp, const struct disk_config *disk, struct fault *fault)
{
	char text[64];
	int fd = open(disk->target, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return fault_set(fault, -errno, "%s: %s", disk->target, strerror(errno));
	snprintf(text, sizeof(text), "{\"fdset-id\":%d}", MEDIUM_SET);
	rc = qmp_send(qmp, "add-fd", text, fd, NULL, fault);
	close(fd);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "/dev/fdset/%d", MEDIUM_SET);
	return medium_set(qmp, disk, text, fault);
}

int model_medium(uint16_t domid, const struct disk_config *disk, struct fault *fault)
{
	struct qmp *qmp;
	int rc = model_connect(domid, &qmp, fault);

	if (rc)
		return rc;
	if (!*disk->target)
		rc = medium_set(qmp, disk, NULL, fault);
	else if (disk->remote)
		rc = medium_set(qmp, disk, disk->target, fault);
	else
		rc = medium_pass(qmp, disk, fault);
	qmp_close(qmp);
	return rc;
}
