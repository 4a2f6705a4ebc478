/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wine's lower-case table as utf16.c looks it up: by the upper 10 bits of a unit the number of its
 * block, there by the lower 6 bits what is to be added to the unit.
 */
#ifndef REGCKPT_CASEMAP_H
#define REGCKPT_CASEMAP_H

#include <stdint.h>

#define CASEMAP_BLOCK 64
#define CASEMAP_BLOCKS (0x10000 / CASEMAP_BLOCK)

extern const uint8_t casemap_index[CASEMAP_BLOCKS];
extern const uint16_t casemap_delta[][CASEMAP_BLOCK];

#endif
