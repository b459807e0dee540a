/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ledger server of one's own, for the time of a test. */
#ifndef CS_TESTS_LEDGER_H
#define CS_TESTS_LEDGER_H

#include "base/child.h"
#include "base/json.h"

typedef struct ledger {
	cs_child child;
	unsigned port;
	char dir[64];
	char file[96];
} ledger;

/* Starts one, or ends the program with a sentence. It ends by itself after two minutes. */
void ledger_start(ledger *l);
void ledger_start_for(ledger *l, unsigned seconds);
void ledger_stop(ledger *l);
/* "http://127.0.0.1:PORT" PATH in a buffer of the ledger's caller. */
#define LEDGER_URL_SIZE 512
const char *ledger_url(const ledger *l, const char *path, char out[LEDGER_URL_SIZE]);
/* Every entry so far, an array in order; owned by the caller. */
json_t *ledger_entries(const ledger *l);
/* Entries whose path begins with PREFIX. */
size_t ledger_count(const ledger *l, const char *prefix);

#endif
