/* epmd - keeps our name registered with EPMD, as a BEAM node does.
 *
 * Source: erl_dist_protocol, "EPMD Protocol". EPMD forgets a node when the registration's
 * connection closes, so that connection is held by a thread of ours, which registers again, with
 * back-off, when EPMD was restarted. When no EPMD answers at start, `epmd -daemon` is started.
 * ERL_EPMD_PORT is honoured (by ei and here).
 */
#ifndef ELFS_NODE_EPMD_H
#define ELFS_NODE_EPMD_H

#include <stdint.h>

#include "node/handshake.h"

struct elfs_epmd;

/* Registers alive at port and starts the thread. The error says whether the name is taken or EPMD
 * cannot be reached. */
enum elfs_code elfs_epmd_start(struct elfs_handshakes *hs, const char *alive, uint16_t port,
                               struct elfs_epmd **out, struct elfs_error *err);

/* Ends the registration and the thread. */
void elfs_epmd_stop(struct elfs_epmd *epmd);

#endif
