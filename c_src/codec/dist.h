/* dist - control messages of the distribution protocol.
 *
 * PURE. Source: erl_dist_protocol, "Protocol between Connected Nodes". A frame is the byte 112
 * (pass through: we announce neither the atom cache nor fragments), a control tuple in external
 * term format with its version byte, and for some operations a message, again with a version byte.
 */
#ifndef ELFS_CODEC_DIST_H
#define ELFS_CODEC_DIST_H

#include "base/buf.h"
#include "codec/put.h"
#include "codec/term.h"

enum elfs_dist_op {
    ELFS_DIST_LINK = 1,
    ELFS_DIST_SEND = 2,
    ELFS_DIST_EXIT = 3,
    ELFS_DIST_UNLINK = 4,
    ELFS_DIST_REG_SEND = 6,
    ELFS_DIST_GROUP_LEADER = 7,
    ELFS_DIST_EXIT2 = 8,
    ELFS_DIST_MONITOR_P = 19,
    ELFS_DIST_DEMONITOR_P = 20,
    ELFS_DIST_MONITOR_P_EXIT = 21,
    ELFS_DIST_SEND_SENDER = 22,
    ELFS_DIST_PAYLOAD_EXIT = 24,
    ELFS_DIST_PAYLOAD_EXIT2 = 26,
    ELFS_DIST_PAYLOAD_MONITOR_P_EXIT = 28,
    ELFS_DIST_SPAWN_REQUEST = 29,
    ELFS_DIST_SPAWN_REPLY = 31,
    ELFS_DIST_ALIAS_SEND = 33,
    ELFS_DIST_UNLINK_ID = 35,
    ELFS_DIST_UNLINK_ID_ACK = 36,
    ELFS_DIST_OTHER = 255, /* a sound tuple whose operation we do not know or use */
};

/* A parsed control message. Views hold whole terms (bytes with their tag) unless they say "text".
 * Messages and PAYLOAD reasons come without their version byte. TT variants (seq_trace) are OTHER,
 * which has a message if the frame has one. Which fields are set:
 *
 * - LINK, UNLINK, GROUP_LEADER: from, to
 * - EXIT, EXIT2, PAYLOAD_EXIT, PAYLOAD_EXIT2: from, to, reason
 * - UNLINK_ID, UNLINK_ID_ACK: ref (the id, an integer), from, to
 * - SEND: to (a pid), message
 * - SEND_SENDER: from, to (a pid), message
 * - ALIAS_SEND: from, to (the alias, a reference), message
 * - REG_SEND: from, name (text), message
 * - MONITOR_P, DEMONITOR_P: from, to (a pid, or the name's atom), ref
 * - MONITOR_P_EXIT, PAYLOAD_MONITOR_P_EXIT: from (a pid, or the name's atom), to, ref, reason
 * - SPAWN_REPLY: ref (the request), to, from (the new process; the reason's atom if it was refused)
 * - SPAWN_REQUEST: ref (the request), from, leader, module, function (texts), arity, monitor, link,
 *   message (the argument list) */
struct elfs_dist_msg {
    enum elfs_dist_op op;
    struct elfs_view from;
    struct elfs_view to;
    struct elfs_view ref;
    struct elfs_view reason;
    struct elfs_view leader;
    struct elfs_view name;
    struct elfs_view module;
    struct elfs_view function;
    int64_t arity;
    bool monitor;
    bool link;
    struct elfs_view message;
};

/* Parses one frame's bytes (as elfs_frame_next gives them, not a tick). The control tuple and the
 * message are checked whole: later readers of their views cannot run out of bounds. ELFS_MALFORMED
 * otherwise. */
enum elfs_code elfs_dist_parse(struct elfs_view frame, struct elfs_dist_msg *msg);

/* Writers: each appends one whole frame to buf and returns ELFS_OK, or appends nothing and returns
 * the reason. Pids, references and reasons are whole terms. */

/* {31, ReqId, To, Flags, Pid}: flags 1 = link set, 2 = monitor set. */
enum elfs_code elfs_dist_spawn_reply(struct elfs_buf *buf, struct elfs_view req_id,
                                     struct elfs_view to, int flags, struct elfs_view pid);
/* {31, ReqId, To, 0, Reason}: refused; reason is an atom's text, e.g. "notsup". */
enum elfs_code elfs_dist_spawn_error(struct elfs_buf *buf, struct elfs_view req_id,
                                     struct elfs_view to, const char *reason);
/* {19, From, To, Ref} and {20, From, To, Ref}. */
enum elfs_code elfs_dist_monitor(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                                 struct elfs_view ref);
enum elfs_code elfs_dist_demonitor(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                                   struct elfs_view ref);
/* {24, From, To} with the atom reason: the answer to a link with nobody there. */
enum elfs_code elfs_dist_exit(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                              const char *reason);
/* {36, Id, From, To}. */
enum elfs_code elfs_dist_unlink_ack(struct elfs_buf *buf, struct elfs_view id,
                                    struct elfs_view from, struct elfs_view to);

/* {29, ReqId, From, From, {erpc,execute_call,4}, [monitor]} and the start of its message [Ref, M, F, A]: the caller
 * appends M, F and A, and closes it. ReqId and Ref are ours, of these words. */
size_t elfs_dist_open_erpc(struct elfs_buf *buf, const struct elfs_identity *id,
                           const uint32_t words[3], struct elfs_view from);
enum elfs_code elfs_dist_close_erpc(struct elfs_buf *buf, size_t mark);

/* Frames whose message the caller writes: open, append the message term (no version byte), then
 * elfs_frame_close. SEND is {2, '', To}; REG_SEND is {6, From, '', Name}; MONITOR_P_EXIT is
 * {28, From, To, Ref}. */
size_t elfs_dist_open_reg_send(struct elfs_buf *buf, struct elfs_view from, const char *name);
size_t elfs_dist_open_send(struct elfs_buf *buf, struct elfs_view to);
size_t elfs_dist_open_monitor_exit(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                                   struct elfs_view ref);

#endif
