/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <poll.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/queue.h"

static void *entry(uintptr_t n)
{
	return (void *)n;
}

static bool readable(cs_queue *q)
{
	struct pollfd p = { .fd = cs_queue_fd(q), .events = POLLIN };
	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static void test_entries_come_out_in_order(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(4);
	void *out[8];
	uintptr_t in = 0, seen = 0;
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 3; i++)
			assert_true(cs_queue_push(q, entry(++in)));
		size_t n = cs_queue_take(q, out, 2, 0);
		n += cs_queue_take(q, out + n, 8 - n, 0);
		assert_int_equal(n, 3);
		for (size_t i = 0; i < n; i++)
			assert_ptr_equal(out[i], entry(++seen));
	}
	cs_queue_free(q);
	cs_queue_free(NULL);
}

static void test_the_consumers_own_find_room_and_keep_their_order(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(3);
	void *out[16];
	for (uintptr_t i = 1; i <= 2; i++)
		assert_true(cs_queue_push(q, entry(i)));
	assert_int_equal(cs_queue_take(q, out, 1, 0), 1);      /* the ring no longer begins at its first place */
	for (uintptr_t i = 3; i <= 10; i++)
		assert_true(cs_queue_push_own(q, entry(i)));
	assert_false(cs_queue_try_push(q, entry(11)));         /* for others it is full */
	assert_int_equal(cs_queue_take(q, out, 16, 0), 9);
	for (uintptr_t i = 0; i < 9; i++)
		assert_ptr_equal(out[i], entry(i + 2));
	assert_false(readable(q));
	assert_true(cs_queue_try_push(q, entry(12)));
	cs_queue_close(q);
	assert_false(cs_queue_push_own(q, entry(13)));
	cs_queue_free(q);
}

static void test_a_full_queue_takes_no_more(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(2);
	assert_true(cs_queue_try_push(q, entry(1)));
	assert_true(cs_queue_try_push(q, entry(2)));
	assert_false(cs_queue_try_push(q, entry(3)));
	assert_int_equal(cs_queue_length(q), 2);
	void *out[1];
	assert_int_equal(cs_queue_take(q, out, 1, 0), 1);
	assert_true(cs_queue_try_push(q, entry(3)));
	cs_queue_free(q);
}

static void test_the_descriptor_is_readable_exactly_while_there_is_something(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(4);
	void *out[4];
	for (int i = 0; i < 3; i++) {
		assert_false(readable(q));
		cs_queue_push(q, entry(1));
		assert_true(readable(q));
		cs_queue_push(q, entry(2));
		assert_int_equal(cs_queue_take(q, out, 1, 0), 1);
		assert_true(readable(q));
		assert_int_equal(cs_queue_take(q, out, 1, 0), 1);
	}
	assert_false(readable(q));
	cs_queue_push(q, entry(1));
	cs_queue_close(q);
	assert_true(readable(q));
	assert_int_equal(cs_queue_take(q, out, 4, 0), 1);
	assert_true(readable(q));
	cs_queue_free(q);
	q = cs_queue_new(4);
	cs_queue_close(q);
	cs_queue_close(q);
	assert_true(readable(q));
	cs_queue_free(q);
}

static void test_a_closed_queue_gives_what_it_has_and_takes_nothing(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(4);
	void *out[4];
	cs_queue_push(q, entry(7));
	assert_false(cs_queue_closed(q));
	cs_queue_close(q);
	assert_true(cs_queue_closed(q));
	assert_false(cs_queue_push(q, entry(8)));
	assert_false(cs_queue_try_push(q, entry(8)));
	assert_int_equal(cs_queue_take(q, out, 4, -1), 1);
	assert_ptr_equal(out[0], entry(7));
	assert_int_equal(cs_queue_take(q, out, 4, -1), 0);
	cs_queue_free(q);
}

static void test_take_waits_as_long_as_it_is_told(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(4);
	void *out[1];
	int64_t start = cs_clock_mono_ns();
	assert_int_equal(cs_queue_take(q, out, 1, 30), 0);
	int64_t took = cs_clock_mono_ns() - start;
	assert_true(took >= 30 * 1000000LL);
	cs_queue_free(q);
}

static void *push_one(void *arg)
{
	return cs_queue_push(arg, entry(9)) ? entry(1) : NULL;
}

static void test_close_wakes_a_waiting_producer(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(1);
	cs_queue_push(q, entry(1));
	pthread_t t;
	void *pushed = entry(1);
	assert_int_equal(pthread_create(&t, NULL, push_one, q), 0);
	cs_queue_close(q);
	pthread_join(t, &pushed);
	assert_null(pushed);
	cs_queue_free(q);
}

static void *take_one(void *arg)
{
	void *out[1];
	return entry(cs_queue_take(arg, out, 1, -1));
}

static void test_close_and_push_wake_a_waiting_consumer(void **state)
{
	(void)state;
	for (int with_entry = 0; with_entry < 2; with_entry++) {
		cs_queue *q = cs_queue_new(1);
		pthread_t t;
		void *taken = entry(9);
		assert_int_equal(pthread_create(&t, NULL, take_one, q), 0);
		if (with_entry)
			cs_queue_push(q, entry(1));
		else
			cs_queue_close(q);
		pthread_join(t, &taken);
		assert_ptr_equal(taken, entry((uintptr_t)with_entry));
		cs_queue_free(q);
	}
}

enum { PRODUCERS = 4, EACH = 20000 };

struct producer {
	cs_queue *q;
	uintptr_t number;
};

static void *produce(void *arg)
{
	struct producer *p = arg;
	for (uintptr_t i = 0; i < EACH; i++)
		if (i % 3 ? !cs_queue_push(p->q, entry(p->number << 32 | i)) : !cs_queue_try_push(p->q, entry(p->number << 32 | i)))
			if (i % 3 || !cs_queue_push(p->q, entry(p->number << 32 | i)))
				return arg;
	return NULL;
}

static void test_nothing_is_lost_or_reordered_between_threads(void **state)
{
	(void)state;
	cs_queue *q = cs_queue_new(16);
	struct producer producers[PRODUCERS];
	pthread_t threads[PRODUCERS];
	uintptr_t next[PRODUCERS] = { 0 };
	for (uintptr_t i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ q, i };
		assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	void *out[10];
	for (size_t total = 0; total < (size_t)PRODUCERS * EACH;) {
		/* Half by waiting in the queue, half by watching its descriptor. */
		struct pollfd p = { .fd = cs_queue_fd(q), .events = POLLIN };
		bool watch = total % 2;
		if (watch)
			assert_int_equal(poll(&p, 1, 10000), 1);
		size_t n = cs_queue_take(q, out, 10, watch ? 0 : -1);
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++) {
			uintptr_t e = (uintptr_t)out[i];
			assert_int_equal(e & 0xFFFFFFFF, next[e >> 32]++);
		}
		total += n;
	}
	for (size_t i = 0; i < PRODUCERS; i++) {
		void *wrong = q;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
		assert_int_equal(next[i], EACH);
	}
	assert_false(readable(q));
	cs_queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_come_out_in_order),
		cmocka_unit_test(test_a_full_queue_takes_no_more),
		cmocka_unit_test(test_the_consumers_own_find_room_and_keep_their_order),
		cmocka_unit_test(test_the_descriptor_is_readable_exactly_while_there_is_something),
		cmocka_unit_test(test_a_closed_queue_gives_what_it_has_and_takes_nothing),
		cmocka_unit_test(test_take_waits_as_long_as_it_is_told),
		cmocka_unit_test(test_close_wakes_a_waiting_producer),
		cmocka_unit_test(test_close_and_push_wake_a_waiting_consumer),
		cmocka_unit_test(test_nothing_is_lost_or_reordered_between_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
