/* A saved domain as another host may send it: the config is a string, the device model's state
 * within its bound. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "toolstack/domain/saved.h"

/* The same config comes back that was written. */
static void head_round(int fd, const char *config)
{
	struct fault fault = {0};
	char *again = NULL;

	CHECK(!saved_head_write(fd, config) && !lseek(fd, 0, SEEK_SET));
	CHECK(!saved_head_read(fd, "it", &again, &fault) && !strcmp(config, again));
	free(again);
}

static void tail_read(int fd)
{
	struct fault fault = {0};
	struct stat state;
	int state_fd = -1;
	int rc = saved_tail_read(fd, "it", &state_fd, &fault);

	CHECK(rc ? fault.text[0] && state_fd < 0 : !fault.text[0]);
	if (state_fd < 0)
		return;
	CHECK(!fstat(state_fd, &state) && state.st_size <= SAVED_MODEL_MAX);
	close(state_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);
	struct fault fault = {0};
	char *config = NULL;
	int rc;

	CHECK(fd >= 0);
	if (size && data[0] & 1) {
		char *text = input_text(data, size / 2);
		off_t behind;

		head_round(fd, text);
		free(text);
		behind = lseek(fd, 0, SEEK_CUR);
		CHECK(write(fd, data + size / 2, size - size / 2) >= 0);
		CHECK(lseek(fd, behind, SEEK_SET) == behind);
		tail_read(fd);
	} else {
		CHECK(write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET));
		rc = saved_head_read(fd, "it", &config, &fault);
		CHECK(rc ? fault.text[0] && !config : config && strlen(config) <= SAVED_CONFIG_MAX);
		if (!rc)
			tail_read(fd);
		free(config);
	}
	close(fd);
	return 0;
}
