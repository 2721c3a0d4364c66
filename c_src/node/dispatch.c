/* dispatch - see dispatch.h. Source: erl_dist_protocol, "Protocol between Connected Nodes". */
#include "node/dispatch.h"

#include "codec/call.h"
#include "codec/dist.h"
#include "codec/frame.h"
#include "node/acks.h"
#include "node/listeners.h"
#include "node/reports.h"
#include "node/request.h"
#include "node/schemas.h"
#include "node/txn.h"

static void on_spawn_request(struct elfs_conn *conn, struct elfs_view frame,
                             const struct elfs_dist_msg *msg) {
    struct elfs_call call;
    enum elfs_code code = elfs_call_of_spawn(msg, &call);
    if (code != ELFS_OK) {
        const char *reason = code == ELFS_UNDEF ? "notsup" : "badarg";
        elfs_conn_wrote(conn,
                        elfs_dist_spawn_error(elfs_conn_out(conn), msg->ref, msg->from, reason));
        return;
    }
    /* The reply to the spawn tells the caller nothing that the answer does not: it is held back for the answer,
     * which most often follows within the moment. That spares a write here and a wake-up there. */
    struct elfs_view pid = elfs_node_new_pid(conn->node);
    elfs_conn_wrote(conn, elfs_dist_spawn_reply(elfs_conn_out_held(conn), msg->ref, msg->from,
                                                msg->monitor ? 2 : 0, pid));
    if (!conn->closed) elfs_request_call(conn, frame, &call, pid);
}

static void on_reg_send(struct elfs_conn *conn, struct elfs_view frame,
                        const struct elfs_dist_msg *msg) {
    struct elfs_call call;
    struct elfs_view to, tag;
    if (elfs_view_is(msg->name, "rex")) {
        if (elfs_call_of_rex(msg, &call) == ELFS_OK)
            elfs_request_call(conn, frame, &call, elfs_node_new_pid(conn->node));
    } else if (elfs_view_is(msg->name, ELFS_REPORTS_NAME)) {
        if (!elfs_listeners_take(conn, msg->message)) elfs_acks_report(conn, msg->message);
    } else if (elfs_view_is(msg->name, "net_kernel")) {
        if (elfs_call_is_auth(msg, &to, &tag))
            elfs_conn_wrote(conn, elfs_call_put_auth(elfs_conn_out(conn), to, tag));
    }
}

/* The two names that we answer for live as long as we do. */
static bool is_served_name(struct elfs_view term) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view name;
    return elfs_term_atom(&r, &name) == ELFS_OK &&
           (elfs_view_is(name, "net_kernel") || elfs_view_is(name, "rex"));
}

/* Nobody else whom we could be asked to watch lives here: the monitor fires at once. */
static void on_monitor(struct elfs_conn *conn, const struct elfs_dist_msg *msg) {
    if (is_served_name(msg->to)) return;
    struct elfs_buf *out = elfs_conn_out(conn);
    size_t mark = elfs_dist_open_monitor_exit(out, msg->to, msg->from, msg->ref);
    elfs_put_atom(out, "noproc");
    elfs_conn_wrote(conn, elfs_frame_close(out, mark));
}

void elfs_dispatch_frame(struct elfs_conn *conn, struct elfs_view frame) {
    struct elfs_dist_msg msg;
    if (elfs_dist_parse(frame, &msg) != ELFS_OK) {
        elfs_conn_close(conn, "malformed_message");
        return;
    }
    switch (msg.op) {
    case ELFS_DIST_SPAWN_REQUEST: on_spawn_request(conn, frame, &msg); break;
    case ELFS_DIST_REG_SEND: on_reg_send(conn, frame, &msg); break;
    case ELFS_DIST_MONITOR_P: on_monitor(conn, &msg); break;
    case ELFS_DIST_DEMONITOR_P: /* the caller gave up */
    case ELFS_DIST_EXIT:        /* ... before it had the reply to its spawn */
    case ELFS_DIST_EXIT2:
    case ELFS_DIST_PAYLOAD_EXIT:
    case ELFS_DIST_PAYLOAD_EXIT2: elfs_request_abandon(conn, msg.to); break;
    case ELFS_DIST_SPAWN_REPLY: elfs_schemas_answer(conn, &msg); break;
    case ELFS_DIST_MONITOR_P_EXIT:
    case ELFS_DIST_PAYLOAD_MONITOR_P_EXIT:
        if (!elfs_schemas_answer(conn, &msg)) elfs_txns_owner_down(conn, msg.ref);
        break;
    case ELFS_DIST_LINK:
        elfs_conn_wrote(conn, elfs_dist_exit(elfs_conn_out(conn), msg.to, msg.from, "noproc"));
        break;
    case ELFS_DIST_UNLINK_ID:
        elfs_conn_wrote(conn, elfs_dist_unlink_ack(elfs_conn_out(conn), msg.ref, msg.to, msg.from));
        break;
    default: break; /* messages and exits to processes that are not here */
    }
}
