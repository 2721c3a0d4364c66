/* epmd_lookup - asks a host's EPMD on which port a node listens.
 *
 * Source: erl_dist_protocol, "EPMD Protocol". ERL_EPMD_PORT is honoured, as ei does. Any thread.
 */
#ifndef ELFS_EI_EPMD_LOOKUP_H
#define ELFS_EI_EPMD_LOOKUP_H

#include <netinet/in.h>
#include <stdint.h>

enum elfs_epmd_lookup { ELFS_EPMD_FOUND, ELFS_EPMD_NOT_FOUND, ELFS_EPMD_NO_ANSWER };

/* The port that EPMD listens on, here and, by custom, everywhere. */
uint16_t elfs_epmd_port(void);

/* A connection to the EPMD at addr, on which connecting, each read and each write take at most
 * timeout_ms; to be closed with close(2). -1 if nobody listens there. */
int elfs_epmd_connect(struct in_addr addr, int timeout_ms);

/* Asks the EPMD at addr for alive's port. Each of its steps takes at most timeout_ms. */
enum elfs_epmd_lookup elfs_epmd_lookup(struct in_addr addr, const char *alive, int timeout_ms,
                                       uint16_t *port);

#endif
