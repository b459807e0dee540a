/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bounded queue of pointers between threads: many producers, one consumer. The consumer may
 * wait on it, or watch its descriptor in a poll loop. */
#ifndef CS_BASE_QUEUE_H
#define CS_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cs_queue cs_queue;

cs_queue *cs_queue_new(size_t capacity);               /* aborts when there is no memory or descriptor */
void cs_queue_free(cs_queue *q);                       /* the entries left are the caller's loss */
/* Waits while full. False once closed (the entry stays the caller's). */
bool cs_queue_push(cs_queue *q, void *entry);
bool cs_queue_try_push(cs_queue *q, void *entry);      /* false when full or closed */
/* For the consumer, which would wait for itself: takes room beyond the capacity. False once closed. */
bool cs_queue_push_own(cs_queue *q, void *entry);
/* Takes up to MAX entries in order. timeout_ms < 0: waits; 0: does not. 0 on timeout or when
 * closed and empty. */
size_t cs_queue_take(cs_queue *q, void **out, size_t max, int timeout_ms);
void cs_queue_close(cs_queue *q);                      /* wakes every waiter */
bool cs_queue_closed(cs_queue *q);
size_t cs_queue_length(cs_queue *q);
/* An eventfd that is readable while there are entries (or once closed). Borrowed. */
int cs_queue_fd(cs_queue *q);

#endif
