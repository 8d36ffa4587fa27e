#include "backend/block/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "backend/block/request.h"
#include "backend/block/sectors.h"

/* What a server must take at least: a page of the guest's. */
#define REQUEST_MIN BLK_PAGE_SIZE

__attribute__((format(printf, 4, 5))) static int unfit(char *why, size_t room, int rc,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, room, format, args);
	va_end(args);
	return rc;
}

int export_check(const struct export_info *info, bool read_only, char *why, size_t room)
{
	uint32_t block = info->block_min;

	if (info->size > INT64_MAX)
		return unfit(why, room, -EPROTO,
			     "the server says that its export has %" PRIu64
			     " bytes, which no disk can have; mend the server",
			     info->size);
	if (!block || block & (block - 1))
		return unfit(why, room, -EPROTO,
			     "the server says that its blocks are of %" PRIu32
			     " bytes, which is no power of two; mend the server",
			     block);
	if (block > SECTORS_ALIGNMENT_MAX)
		return unfit(why, room, -EOPNOTSUPP,
			     "its blocks of %" PRIu32
			     " bytes are too large; have it served with %u or less",
			     block, SECTORS_ALIGNMENT_MAX);
	if (info->size < BLK_SECTOR_SIZE)
		return unfit(why, room, -ENOMEDIUM,
			     "its export is empty (%" PRIu64 " bytes); make it larger first",
			     info->size);
	if (info->size % block)
		return unfit(why, room, -EPROTO,
			     "its export of %" PRIu64
			     " bytes does not consist of blocks of %" PRIu32
			     " bytes, as the server says; make it a multiple of them",
			     info->size, block);
	if (info->block_max && (info->block_max < REQUEST_MIN || info->block_max < block))
		return unfit(why, room, -EOPNOTSUPP,
			     "it takes requests of %" PRIu32
			     " bytes at most; have it served with %" PRIu32 " or more",
			     info->block_max, block > REQUEST_MIN ? block : REQUEST_MIN);
	if (info->read_only && !read_only)
		return unfit(why, room, -EROFS,
			     "the export is read-only; attach the disk with access=ro");
	return 0;
}

uint32_t export_request_max(const struct export_info *info)
{
	uint32_t unit = info->block_min > REQUEST_MIN ? info->block_min : REQUEST_MIN;

	return info->block_max / unit * unit;
}
