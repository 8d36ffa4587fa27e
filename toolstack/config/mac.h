/*
 * mac.h - the address of a network card.
 *
 * Pure but for mac_generate, which asks the kernel for randomness.
 */
#pragma once

#include <stdint.h>

#define MAC_SIZE      6
#define MAC_TEXT_SIZE 18 /* "00:16:3e:00:00:01" and its NUL */

/**
 * mac_parse - six pairs of hexadecimal digits with colons between them.
 * Return: 0, or -EINVAL.
 */
int mac_parse(const char *text, uint8_t mac[MAC_SIZE]);

/** mac_why_unfit - why a card must not have this address, or NULL when it may. */
const char *mac_why_unfit(const uint8_t mac[MAC_SIZE]);

/** mac_format - lower-case text of an address. */
void mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE]);

/** mac_generate - a random address of Xen's range, 00:16:3e:00:00:00 to 00:16:3e:7f:ff:ff. */
void mac_generate(uint8_t mac[MAC_SIZE]);
