#include "frontend/core/store.h"

#include "frontend/core/text.h"
#include "lib/number.h"

#define STORE_TRIES 64

int store_read_number(struct platform *platform, const char *directory, const char *name,
		      uint64_t max, uint64_t *value)
{
	char path[STORE_PATH_SIZE], text[TEXT_NUMBER_SIZE];
	int rc;

	rc = text_path(path, sizeof(path), directory, name);
	if (rc)
		return rc;
	rc = platform->ops->store_read(platform, PLATFORM_NO_TRANSACTION, path, text, sizeof(text));
	if (rc == -E2BIG)
		return -ERANGE;
	if (rc < 0)
		return rc == -ENOENT ? rc : -EIO;
	return number_parse(text, max, value);
}

uint64_t store_number_or(struct store_nodes *nodes, const char *name, uint64_t max,
			 uint64_t otherwise)
{
	uint64_t value;
	int rc = store_read_number(nodes->platform, nodes->directory, name, max, &value);

	if (rc == -EIO)
		nodes->rc = rc;
	return rc ? otherwise : value;
}

bool store_flag(struct store_nodes *nodes, const char *name)
{
	return store_number_or(nodes, name, UINT64_MAX, 0) != 0;
}

int store_write_number(struct platform *platform, uint32_t transaction, const char *directory,
		       const char *name, uint64_t value)
{
	char digits[TEXT_NUMBER_SIZE];
	struct text text = text_on(digits, sizeof(digits));

	text_add_number(&text, value);
	return store_write_text(platform, transaction, directory, name, digits);
}

int store_write_text(struct platform *platform, uint32_t transaction, const char *directory,
		     const char *name, const char *value)
{
	char path[STORE_PATH_SIZE];
	int rc = text_path(path, sizeof(path), directory, name);

	return rc ? rc : platform->ops->store_write(platform, transaction, path, value);
}

int store_transact(struct platform *platform, int (*body)(uint32_t transaction, void *arg),
		   void *arg)
{
	int rc = -EAGAIN;

	for (int tries = 0; tries < STORE_TRIES && rc == -EAGAIN; tries++) {
		uint32_t transaction;

		rc = platform->ops->store_begin(platform, &transaction);
		if (rc)
			return rc;
		rc = body(transaction, arg);
		if (rc) {
			platform->ops->store_end(platform, transaction, false);
			return rc;
		}
		rc = platform->ops->store_end(platform, transaction, true);
	}
	return rc;
}
