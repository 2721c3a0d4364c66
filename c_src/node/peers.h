/* peers - how connections come about: the listener, finished handshakes, the nodes of
 * --connect, and the primary's.
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

/* The connection to the node of this name, or NULL. */
struct elfs_conn *elfs_peers_find(struct elfs_node *node, struct elfs_view name);

/* Dials this node too, from now on and until another one is wanted. */
void elfs_peers_want(struct elfs_node *node, struct elfs_view name);

/* Turns finished handshakes into connections, or logs why not. True if there were any. */
bool elfs_peers_take_handshakes(struct elfs_node *node);

/* Dials the nodes of --connect, and the wanted one, that have no connection and whose back-off has passed; listens again
 * after a pause; sends ticks and drops the silent. */
void elfs_peers_tick(struct elfs_node *node);

#endif
