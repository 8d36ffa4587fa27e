# The fuzzers, each of one pure part, for make fuzz; FILE.dict is a dictionary of what it reads.
FUZZERS := fuzz-block_request fuzz-block_qos fuzz-block_settings fuzz-block_source fuzz-block_inflight fuzz-net_tx fuzz-store fuzz-saved
fuzz-block_request_SRCS := tests/fuzz/block_request.c backend/block/request.c
fuzz-block_qos_SRCS := tests/fuzz/block_qos.c backend/block/bucket.c
fuzz-block_qos_LIBS := libxsplit
fuzz-block_settings_SRCS := tests/fuzz/block_settings.c backend/block/settings.c backend/block/inject.c
fuzz-block_settings_LIBS := libxsplit
fuzz-block_source_SRCS := tests/fuzz/block_source.c backend/block/source.c
fuzz-block_source_LIBS := libxsplit
fuzz-block_inflight_SRCS := tests/fuzz/block_inflight.c backend/block/inflight.c
fuzz-net_tx_SRCS := tests/fuzz/net_tx.c backend/net/tx.c
fuzz-store_SRCS := tests/fuzz/store.c
fuzz-store_LIBS := libstore libxsplit
fuzz-saved_SRCS := tests/fuzz/saved.c $(addprefix toolstack/,domain/saved.c io.c fault.c)
