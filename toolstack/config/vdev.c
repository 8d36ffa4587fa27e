#include "toolstack/config/vdev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"

#define XVD_MAJOR 202u
#define SD_MAJOR  8u
#define HD_MAJOR1 3u
#define HD_MAJOR2 22u

#define EXTENDED       (1u << 28) /* disk << 8 | partition below it */
#define EXTENDED_DISKS (1u << 20)

enum vdev_kind { VDEV_XVD, VDEV_SD, VDEV_HD };

static const struct {
	const char *prefix;
	uint32_t disks, partitions; /* the largest of each */
} kinds[] = {
	[VDEV_XVD] = {"xvd", EXTENDED_DISKS - 1, 255},
	[VDEV_SD] = {"sd", 15, 15},
	[VDEV_HD] = {"hd", 3, 63},
};

/* "a".."z", "aa"..: letters as in spreadsheets. Return how many characters, 0 for none. */
static size_t letters_parse(const char *text, uint32_t *disk)
{
	uint64_t value = 0;
	size_t n;

	for (n = 0; text[n] >= 'a' && text[n] <= 'z' && n < 8; n++)
		value = value * 26 + (uint64_t)(text[n] - 'a') + 1;
	*disk = n && value - 1 <= UINT32_MAX ? (uint32_t)(value - 1) : UINT32_MAX;
	return n;
}

/* Decimal without sign, space or leading zero. Return how many characters, 0 for none. */
static size_t digits_parse(const char *text, uint32_t *value)
{
	uint64_t sum = 0;
	size_t n;

	for (n = 0; text[n] >= '0' && text[n] <= '9' && n < 9; n++)
		sum = sum * 10 + (uint64_t)(text[n] - '0');
	if (n > 1 && text[0] == '0')
		return 0;
	*value = (uint32_t)sum;
	return n;
}

static uint32_t encode(enum vdev_kind kind, uint32_t disk, uint32_t partition)
{
	switch (kind) {
	case VDEV_SD:
		return SD_MAJOR << 8 | disk << 4 | partition;
	case VDEV_HD:
		return (disk < 2 ? HD_MAJOR1 : HD_MAJOR2) << 8 | (disk & 1) << 6 | partition;
	case VDEV_XVD:
	default:
		if (disk <= 15 && partition <= 15)
			return XVD_MAJOR << 8 | disk << 4 | partition;
		return EXTENDED | disk << 8 | partition;
	}
}

static int checked(enum vdev_kind kind, uint32_t disk, uint32_t partition, uint32_t *number)
{
	if (disk > kinds[kind].disks || partition > kinds[kind].partitions)
		return -ERANGE;
	*number = encode(kind, disk, partition);
	return 0;
}

/* dN or dNpM: the same numbers as xvd. */
static int plain_parse(const char *text, uint32_t *number)
{
	uint32_t disk = 0, partition = 0;
	size_t n = digits_parse(text, &disk);

	if (!n)
		return -EINVAL;
	text += n;
	if (*text == 'p') {
		n = digits_parse(++text, &partition);
		if (!n)
			return -EINVAL;
		text += n;
	}
	return *text ? -EINVAL : checked(VDEV_XVD, disk, partition, number);
}

static int kind_parse(enum vdev_kind kind, const char *text, uint32_t *number)
{
	uint32_t disk, partition = 0;
	size_t n = letters_parse(text, &disk);

	if (!n)
		return -EINVAL;
	text += n;
	if (*text) {
		/* Partition 0 is the whole disk: written without a number. */
		n = digits_parse(text, &partition);
		if (!n || text[n] || !partition)
			return -EINVAL;
	}
	return checked(kind, disk, partition, number);
}

int vdev_number(const char *name, uint32_t *number)
{
	uint64_t value;

	if (!number_parse(name, INT32_MAX, &value)) {
		*number = (uint32_t)value;
		return 0;
	}
	if (name[0] == 'd')
		return plain_parse(name + 1, number);
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (!strncmp(name, kinds[i].prefix, n))
			return kind_parse((enum vdev_kind)i, name + n, number);
	}
	return -EINVAL;
}

static void compose(enum vdev_kind kind, uint32_t disk, uint32_t partition,
		    char name[VDEV_NAME_SIZE])
{
	char letters[8];
	size_t at = sizeof(letters) - 1;

	letters[at] = '\0';
	disk++;
	do {
		disk--;
		letters[--at] = (char)('a' + disk % 26);
		disk /= 26;
	} while (disk);
	if (partition)
		snprintf(name, VDEV_NAME_SIZE, "%s%s%" PRIu32, kinds[kind].prefix, letters + at,
			 partition);
	else
		snprintf(name, VDEV_NAME_SIZE, "%s%s", kinds[kind].prefix, letters + at);
}

void vdev_name(uint32_t number, char name[VDEV_NAME_SIZE])
{
	uint32_t major = number >> 8;

	if (number & EXTENDED && number < EXTENDED << 1)
		compose(VDEV_XVD, (number & ~EXTENDED) >> 8, number & 0xff, name);
	else if (major == XVD_MAJOR)
		compose(VDEV_XVD, (number >> 4) & 15, number & 15, name);
	else if (major == SD_MAJOR)
		compose(VDEV_SD, (number >> 4) & 15, number & 15, name);
	else if ((major == HD_MAJOR1 || major == HD_MAJOR2) && !(number & 0x80))
		compose(VDEV_HD, (major == HD_MAJOR2 ? 2 : 0) + ((number >> 6) & 1), number & 63,
			name);
	else
		snprintf(name, VDEV_NAME_SIZE, "%" PRIu32, number);
}
