/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A registered key packed, with its excludes. */
#ifndef REGCKPT_REGISTERED_KEY_PACK_H
#define REGCKPT_REGISTERED_KEY_PACK_H

#include "pack.h"
#include "resource.h"

void pack_registered_key(struct pack *p, const struct registered_key *k);
/* 0, ENOMEM, or RESULT_INVALID; on failure *k is empty. registered_key_free when done. */
int unpack_registered_key(struct unpack *u, struct registered_key *k);

#endif
