#include "backend/block/merge.h"

struct merge merge_begin(const struct blk_request *request, const uint8_t *data)
{
	return (struct merge){
		.op = request->op,
		.offset = request->offset,
		.length = request->length,
		.data = data,
	};
}

bool merge_join(struct merge *merge, const struct blk_request *request, const uint8_t *data)
{
	if (request->op != merge->op || (merge->op != BLK_READ && merge->op != BLK_WRITE))
		return false;
	if (!request->length || request->offset != merge->offset + merge->length ||
	    data != merge->data + merge->length)
		return false;
	if (merge->length + request->length > MERGE_MAX)
		return false;
	merge->length += request->length;
	return true;
}
