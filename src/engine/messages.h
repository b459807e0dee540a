/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages from an engine's thread to whoever waits for them: JSON objects in order, of which any
 * number of feeds are one, the latest. Shared by reference, because an answer may come after the
 * one who asked has gone. */
#ifndef CS_ENGINE_MESSAGES_H
#define CS_ENGINE_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

typedef struct cs_messages cs_messages;

cs_messages *cs_messages_new(void);
cs_messages *cs_messages_ref(cs_messages *m);
void cs_messages_unref(cs_messages *m);           /* NULL is fine */

/* Never blocks for long, never fails. What is pushed after close is thrown away. */
void cs_messages_push(cs_messages *m, json_t *message);   /* taken over */
void cs_messages_feed(cs_messages *m, int64_t seq);       /* {feed: {seq}}, one at most */
/* Nothing more is taken; waiters wake. What is there can still be taken. */
void cs_messages_close(cs_messages *m);
bool cs_messages_closed(cs_messages *m);

/* The first message, owned; NULL when there is none within timeout_ms (< 0: waits) or when closed
 * and empty. */
json_t *cs_messages_take(cs_messages *m, int timeout_ms);
/* The first whose `tag` is TAG; others stay. */
json_t *cs_messages_take_tag(cs_messages *m, unsigned tag, int timeout_ms);
/* Readable while there is a message, or once closed. Borrowed. */
int cs_messages_fd(cs_messages *m);

#endif
