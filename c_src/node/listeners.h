/* listeners - who wants to hear at once that this host has become the primary of a database.
 *
 * The tracker row comes to a replica only when its LiteFS has found the new primary, which takes a second and more. An
 * application that is connected hears it from the primary's node itself:
 *
 *   it sends, to the name ecto_litefs    {listen, Repo :: binary(), Pid}
 *   it hears, now and whenever it is so  {ecto_litefs, primary, Repo :: binary(), Node :: atom()}
 *
 * One listener a database and connection; a new one takes its place. Loop's thread only.
 */
#ifndef ELFS_NODE_LISTENERS_H
#define ELFS_NODE_LISTENERS_H

#include "node/conn.h"
#include "node/database.h"

/* True if the message is of that kind; one that is wrong, or about a database that is not served here, is forgotten. */
bool elfs_listeners_take(struct elfs_conn *conn, struct elfs_view message);

/* This host is the database's primary now. */
void elfs_listeners_tell(struct elfs_database *db);

/* Of a connection that ends. */
void elfs_listeners_fini(struct elfs_conn *conn);

#endif
