/*
 * name.h - which domain has which name.
 *
 * /tool/xsplit/name/NAME holds the id of the domain of that name, so that looking one up costs two
 * reads however many domains there are. The name of a domain itself is where libxl has it,
 * /local/domain/N/name; an entry of a domain that is gone or has another name counts for nothing.
 */
#pragma once

#include <stdint.h>

#include "toolstack/toolstack.h"

/** Room for the node of any name. */
#define NAME_PATH_SIZE 448

/**
 * name_path - the index' node of a name. A path has only letters, digits and -_/@, so any other
 * byte is written as "@" and two hexadecimal digits. Pure.
 */
void name_path(const char *name, char path[NAME_PATH_SIZE]);

/**
 * name_holder - the live domain that the index has for a name, inside a transaction.
 * Return: 0 with @domid set, or -ENOENT.
 */
int name_holder(struct toolstack *ts, xs_transaction_t t, const char *name, uint16_t *domid);

/** name_of - a domain's name for free(3), or NULL. */
char *name_of(struct toolstack *ts, uint16_t domid);

/**
 * name_find - the domain that a word on the command line means: its id or its name.
 * Also finds what other toolstacks made, and an id of which only nodes are left.
 *
 * Return: 0, or -ENOENT (the fault is set; it names a near name if there is one).
 */
int name_find(struct toolstack *ts, const char *word, uint16_t *domid, struct fault *fault);
