/* uuid - UUIDs as text and as bytes.
 *
 * PURE. Source: Ecto.UUID.
 */
#ifndef ELFS_ECTO_UUID_H
#define ELFS_ECTO_UUID_H

#include "base/view.h"

#define ELFS_UUID_TEXT 36

/* Makes 16 random bytes a version 4 UUID. */
void elfs_uuid_make(uint8_t bytes[16]);

/* Lower case, without a NUL. */
void elfs_uuid_text(const uint8_t bytes[16], char text[ELFS_UUID_TEXT]);

/* False if it is no UUID's text. */
bool elfs_uuid_parse(struct elfs_view text, uint8_t bytes[16]);

#endif
