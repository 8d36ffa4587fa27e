/* A ring of a guest's packets: each chain ends within what is posted, each fragment within its
 * page. */
#include <errno.h>

#include "backend/net/tx.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct netif_tx_request mirror[NET_TX_RING];
	static struct net_tx_packet packet;
	struct input bytes = {data, size};
	struct net_tx_cursor cursor = {.mirror = mirror};
	uint32_t first, posted = (uint32_t)(size / sizeof(mirror[0]));
	int rc;

	input_take(&bytes, &first, sizeof(first));
	input_take(&bytes, mirror, sizeof(mirror));
	cursor.next = first;
	cursor.end = first + (posted < NET_TX_RING ? posted : NET_TX_RING);
	for (uint32_t next = first; !(rc = net_tx_next(&cursor, &packet)); next = cursor.next) {
		unsigned length = 0;

		CHECK(packet.first == next && cursor.next == next + packet.slots && packet.slots);
		CHECK(cursor.next - first <= cursor.end - first);
		CHECK(packet.fragments <= NET_TX_FRAGMENTS_MAX && packet.extras < packet.slots);
		CHECK(!packet.fault || !packet.fragments);
		for (unsigned n = 0; n < packet.fragments; n++) {
			CHECK(packet.fragment[n].length);
			CHECK(packet.fragment[n].offset + packet.fragment[n].length <= 4096);
			length += packet.fragment[n].length;
		}
		CHECK(packet.fault || length == packet.length);
		for (unsigned n = 0; n < packet.slots; n++)
			(void)net_tx_response(mirror, &packet, n);
		CHECK(*net_tx_fault_text(packet.fault) || !packet.fault);
	}
	CHECK(rc == -EAGAIN || rc == -EPROTO);
	return 0;
}
