/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hosts that the conformance kit calls, as far as it calls them, on loopback over TLS with a
 * certificate of an authority made for the occasion. */
#ifndef CS_TESTS_PETSTORE_H
#define CS_TESTS_PETSTORE_H

#include "net/http.h"

typedef struct petstore petstore;

/* Serves until it is stopped; ends the program with a sentence when it cannot. CA is where the authority's
 * certificate is written. */
petstore *petstore_start(const char *ca);
void petstore_stop(petstore *p);
const cs_http_stand_in *petstore_hosts(const petstore *p, size_t *ret_n);

#endif
