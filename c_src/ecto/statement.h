/* statement - the SQL of a Repo call, as ecto_sqlite3 writes it.
 *
 * PURE. Private to the plans. Source: Ecto.Adapters.SQLite3.Connection.
 */
#ifndef ELFS_ECTO_STATEMENT_H
#define ELFS_ECTO_STATEMENT_H

#include "ecto/context.h"

/* INSERT INTO "t" ("a","b") VALUES (?1,?2) [ON CONFLICT ...] [RETURNING "id"] of the columns that
 * were added, for so many rows; the parameters that ON CONFLICT takes are appended to c.
 * ELFS_BADARG: settled, as elfs_ecto_add. */
enum elfs_code elfs_ecto_insert_sql(struct elfs_ecto_context *c, struct elfs_view table,
                                    size_t rows, struct elfs_view *sql);

/* UPDATE "t" SET "a" = ? WHERE "id" = ?, and DELETE FROM "t" WHERE "id" = ?. The first `set`
 * columns that were added are set; filters are the pairs of c->write->filters, added after them
 * unless nil. */
enum elfs_code elfs_ecto_update_sql(struct elfs_ecto_context *c, struct elfs_view table, size_t set,
                                    struct elfs_view *sql);
enum elfs_code elfs_ecto_delete_sql(struct elfs_ecto_context *c, struct elfs_view table,
                                    struct elfs_view *sql);

/* Appends ON CONFLICT ...; its parameters are appended to c. ELFS_BADARG: settled. */
enum elfs_code elfs_ecto_put_conflict(struct elfs_ecto_context *c, struct elfs_buf *buf);

/* Appends a name in quotes. One that holds quotes itself fails the buffer with ELFS_BADARG: it
 * would end the name. */
void elfs_ecto_put_name(struct elfs_buf *buf, struct elfs_view name);

/* Settles with an ArgumentError of this message. ELFS_BADARG, or ELFS_NOMEM. */
enum elfs_code elfs_ecto_argument_error(struct elfs_ecto_context *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
