/*
 * options.h - the guest's command line: what a kernel would find on its own.
 */
#pragma once

#include <stdint.h>

/** Addresses of cards beyond these have to be set by hand. */
#define OPTIONS_CARDS 8

struct options {
	const char *address[OPTIONS_CARDS]; /* of ethN with its prefix, or NULL */
	const char *gateway;
};

/**
 * options_parse - read ip=ADDRESS/PREFIX (eth0), ipN=..., gw=ADDRESS.
 * @options: points into @argv afterwards
 * @bad:     set to the word that is wrong
 *
 * Return: 0, or -EINVAL (an unknown word), -EEXIST (given twice), -EADDRNOTAVAIL (no address).
 */
int options_parse(int argc, char **argv, struct options *options, const char **bad);
