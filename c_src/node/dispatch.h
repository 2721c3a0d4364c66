/* dispatch - what each control message of a peer makes us do.
 *
 * A C node has no processes but its calls: monitors and links are answered with noproc, messages to
 * names other than `rex`, `net_kernel` and `ecto_litefs` (reports.h, listeners.h) are dropped,
 * spawns of anything but erpc's functions are refused. Loop's thread only.
 */
#ifndef ELFS_NODE_DISPATCH_H
#define ELFS_NODE_DISPATCH_H

#include "node/conn.h"

/* frame is one frame's bytes, valid during the call. A malformed one closes the connection. */
void elfs_dispatch_frame(struct elfs_conn *conn, struct elfs_view frame);

#endif
