/*
 * pass.h - what a bounded pass over a ring left behind.
 */
#pragma once

enum net_pass {
	NET_PASS_IDLE, /* nothing to do until an event */
	NET_PASS_MORE, /* there is more to do at once */
	NET_PASS_FULL, /* to the guest only: it has posted too few requests */
};
