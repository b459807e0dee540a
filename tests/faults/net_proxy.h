/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A proxy on loopback between the engine and the ledger: a port for each row of net_faults.h, which it does to
 * the first request that comes there, or to all; the others it passes on. One thread, which ends after a minute. */
#ifndef CS_TESTS_NET_PROXY_H
#define CS_TESTS_NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct net_proxy net_proxy;

/* LEDGER_PORT is where requests go on to. Fails the test when there is no port to be had. */
net_proxy *net_proxy_new(unsigned ledger_port, bool lasting);
void net_proxy_free(net_proxy *p);
unsigned net_proxy_port(const net_proxy *p, size_t row);
/* Requests of a row of which a byte came. */
int net_proxy_tries(net_proxy *p, size_t row);
/* The most bytes that a connection of the row took from the proxy. */
size_t net_proxy_most(net_proxy *p, size_t row);

#endif
