/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An inbox item as one card: what, why, consequence, when; nothing that is approved left out. */
#ifndef CS_TUI_CARD_H
#define CS_TUI_CARD_H

#include <jansson.h>
#include "tui/pager.h"

/* Fills P anew from ITEM. DRAFT (may be NULL) is an edited value that is not sent yet. */
void cs_card_fill(cs_pager *p, const json_t *item, const json_t *draft);
bool cs_card_open(const json_t *item);             /* waits for a decision */
bool cs_card_allows(const json_t *item, const char *choice);
int64_t cs_card_snoozed_ms(const json_t *item);    /* how long it is still put off; 0: it is not */
/* The word that must be typed to approve it, NULL: none. Borrowed. */
const char *cs_card_word(const json_t *item);
int64_t cs_card_grace_ms(const json_t *item);      /* left to undo it; 0: none */

#endif
