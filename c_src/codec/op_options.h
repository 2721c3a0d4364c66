/* op_options - the option argument of the served functions.
 *
 * PURE. Private to op: a map or a keyword list; which function takes which option is op's business.
 */
#ifndef ELFS_CODEC_OP_OPTIONS_H
#define ELFS_CODEC_OP_OPTIONS_H

#include "codec/op.h"

enum {
    ELFS_OPTION_TX = 1,
    ELFS_OPTION_TIMEOUT = 2,
    ELFS_OPTION_IDLE_TIMEOUT = 4,
    ELFS_OPTION_TOTAL_TIMEOUT = 8,
    ELFS_OPTION_KEY = 16,
    ELFS_OPTION_ACK = 32,
    ELFS_OPTION_ACK_TIMEOUT = 64,
};

#define ELFS_OP_OPTIONS_NONE                                                                       \
    ((struct elfs_op_options){                                                                     \
        .timeout_ms = -1, .idle_timeout_ms = -1, .total_timeout_ms = -1, .ack_timeout_ms = -1})

/* A key, as the option and as resolve's argument: a binary of 1 to ELFS_KEY_MAX bytes.
 * ELFS_INVALID_OPTION. */
enum elfs_code elfs_op_key(struct elfs_view term, struct elfs_view *key, struct elfs_error *err);

/* Reads a whole term into *options, which the caller has set to ELFS_OP_OPTIONS_NONE. allowed: the
 * options that may be given. ELFS_BADARG: neither a map nor a keyword list; ELFS_INVALID_OPTION. */
enum elfs_code elfs_op_options(struct elfs_view term, unsigned allowed,
                               struct elfs_op_options *options, struct elfs_error *err);

#endif
