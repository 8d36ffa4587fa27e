# The net class. backend-net-ring is all that touches the guest's rings, without store or netlink.
CPPFLAGS += $(shell pkg-config --cflags libnl-route-3.0 2>/dev/null)

ARCHIVES += backend-net-ring backend-net
backend-net-ring_SRCS := $(addprefix backend/net/,tx.c rx.c offload.c rate.c sender.c receiver.c queue.c)
backend-net_SRCS := $(addprefix backend/net/,uplink.c vif_device.c vif_worker.c)

UNIT_TESTS += net_tx net_rx net_offload net_queue net_queue_rx net_rate net_uplink
net_tx_SRCS := tests/unit/net_tx.c
net_tx_LIBS := backend-net-ring
net_rx_SRCS := tests/unit/net_rx.c
net_rx_LIBS := backend-net-ring
net_offload_SRCS := tests/unit/net_offload.c
net_offload_LIBS := backend-net-ring
net_queue_SRCS := tests/unit/net_queue.c tests/unit/net_guest.c
net_queue_LIBS := backend-net-ring libxsplit
net_queue_LINK := -levent_core
net_queue_rx_SRCS := tests/unit/net_queue_rx.c tests/unit/net_guest.c
net_queue_rx_LIBS := $(net_queue_LIBS)
net_queue_rx_LINK := -levent_core
net_rate_SRCS := tests/unit/net_rate.c tests/unit/net_guest.c
net_rate_LIBS := $(net_queue_LIBS)
net_rate_LINK := -levent_core
net_uplink_SRCS := tests/unit/net_uplink.c backend/net/uplink.c
net_uplink_LINK := -lnl-route-3 -lnl-3

TEST_PROGRAMS += net-scripted
net-scripted_SRCS := tests/embedded/net-scripted.c
net-scripted_LINK := -lxengnttab -lxenevtchn -lxenstore
