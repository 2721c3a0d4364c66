/* port_proto - the messages of docs/port.md, both ways.
 *
 * PURE. Shared by the port program and the port driver, which differ in how messages travel only.
 * Each message is one term in the external term format, with its version byte and without a length.
 */
#ifndef ELFS_APP_PORT_PROTO_H
#define ELFS_APP_PORT_PROTO_H

#include "codec/put.h"
#include "detect/state.h"

/* Of a message to the port. */
#define ELFS_PORT_MESSAGE_MAX (1 << 20)

/* The whole of Config, owned. */
struct elfs_port_config {
    char *primary_file;
    int64_t poll_interval_ms; /* 0: false */
    char *event_stream_url;   /* NULL: false */
    char *database;           /* NULL: nil */
    char *table_name;
};

void elfs_port_config_fini(struct elfs_port_config *config);

enum elfs_port_request_kind { ELFS_PORT_CONFIGURE, ELFS_PORT_STATE, ELFS_PORT_REFRESH };

struct elfs_port_request {
    enum elfs_port_request_kind kind;
    struct elfs_view tag;           /* a whole term in the message; empty if there is none */
    struct elfs_port_config config; /* CONFIGURE; elfs_port_config_fini is the caller's */
};

/* Reads a message. ELFS_BADARG with one sentence for the sender: no term, none of the requests, or a
 * Config that is wrong; tag is set as far as there is one. ELFS_NOMEM. */
enum elfs_code elfs_port_parse(struct elfs_view message, struct elfs_port_request *request,
                               struct elfs_error *err);

/* Writers: one whole message each, appended to buf (look at buf->status). An empty tag is the atom
 * undefined. now_ms is the clock of the state's times. */
void elfs_port_put_configured(struct elfs_buf *buf, struct elfs_view tag);
void elfs_port_put_error(struct elfs_buf *buf, struct elfs_view tag, const char *message);
/* name: "state" or "refresh". */
void elfs_port_put_answer(struct elfs_buf *buf, const char *name, struct elfs_view tag,
                          const struct elfs_detect_state *state, int64_t now_ms);
void elfs_port_put_change(struct elfs_buf *buf, const struct elfs_detect_state *state,
                          int64_t now_ms);
void elfs_port_put_position(struct elfs_buf *buf, const struct elfs_db_position *position);
/* State alone, as port_control gives it. */
void elfs_port_put_state(struct elfs_buf *buf, const struct elfs_detect_state *state,
                         int64_t now_ms);

#endif
