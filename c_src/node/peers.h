/* peers - how connections come about: the listener, finished handshakes, and the nodes of
 * --connect.
 *
 * Loop's thread only.
 */
#ifndef ELFS_NODE_PEERS_H
#define ELFS_NODE_PEERS_H

#include "node/node.h"

/* Listens, as the options say; *port is the one it got. */
enum elfs_code elfs_peers_listen(struct elfs_node *node, uint16_t *port, struct elfs_error *err);

/* Closes the listener. */
void elfs_peers_stop_listening(struct elfs_node *node);

/* Turns finished handshakes into connections, or logs why not. */
void elfs_peers_take_handshakes(struct elfs_node *node);

/* Dials the nodes of --connect that have no connection and whose back-off has passed; listens again
 * after a pause; sends ticks and drops the silent. */
void elfs_peers_tick(struct elfs_node *node);

#endif
