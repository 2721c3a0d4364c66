/* files - what LiteFS's small files say: .primary, .lag, <database>-pos.
 *
 * PURE. Sources: LiteFS 0.5's fuse package. A file is read whole; one that is shorter or longer
 * than its format allows was caught half-way or is not LiteFS's, and is ELFS_MALFORMED.
 *
 *   .primary   the primary's lease hostname, '\n'
 *   .lag       the first 11 bytes of "%+010d\n", milliseconds: a sign, then nine digits and '\n',
 *              or ten digits (LiteFS says that the file has 11 bytes whatever it holds)
 *   -pos       "%016x/%016x\n": 34 bytes, transaction id and checksum
 */
#ifndef ELFS_DETECT_FILES_H
#define ELFS_DETECT_FILES_H

#include "base/error.h"
#include "base/view.h"

/* Sizes with the NUL. DNS allows 255 bytes, file names as well. */
#define ELFS_HOSTNAME_SIZE 256
#define ELFS_DATABASE_SIZE 256

/* What .lag holds on a replica that has not synchronised yet. */
#define ELFS_LAG_NEVER INT32_MAX

/* Copies text into a NUL-terminated field of size bytes. ELFS_MALFORMED (and an empty field) if it
 * is empty, does not fit, or holds a control byte: neither a hostname nor the name of a database
 * does. */
enum elfs_code elfs_name_copy(char *to, size_t size, struct elfs_view text);

enum elfs_code elfs_primary_file_parse(struct elfs_view file, char hostname[ELFS_HOSTNAME_SIZE]);

/* Below 0 when this host's clock is behind the primary's. */
enum elfs_code elfs_lag_parse(struct elfs_view file, int64_t *lag_ms);

#define ELFS_POS_SIZE 34 /* of such a file, always */

enum elfs_code elfs_pos_parse(struct elfs_view file, uint64_t *txid, uint64_t *checksum);

/* Exactly 16 hexadecimal digits in lower case, as LiteFS writes transaction ids and checksums. */
enum elfs_code elfs_hex64_parse(struct elfs_view text, uint64_t *value);

#endif
