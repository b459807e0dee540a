/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which descriptors this process has open, to see that none stays behind. */
#ifndef CS_TESTS_DESCRIPTORS_H
#define CS_TESTS_DESCRIPTORS_H

#include <jansson.h>

/* Object of {"number": "what /proc says it is"}. New reference. */
json_t *descriptors_open(void);
/* Fails the test and names each that is open now and was not in BEFORE. */
void descriptors_assert_none_new(const json_t *before);

#endif
