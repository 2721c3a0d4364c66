/* call - a function call from a peer, however it travelled, and its answers.
 *
 * PURE. Sources: erpc.erl (execute_call/4, execute_cast/3) for SPAWN_REQUEST; rpc.erl for messages
 * to `rex`; gen.erl for '$gen_call'. All four come down to module, function, arguments and a way to
 * answer.
 */
#ifndef ELFS_CODEC_CALL_H
#define ELFS_CODEC_CALL_H

#include "codec/dist.h"

enum elfs_call_style {
    ELFS_CALL_ERPC,     /* SPAWN_REQUEST {erpc,execute_call,4}: answered by the monitor's exit */
    ELFS_CALL_CAST,     /* SPAWN_REQUEST {erpc,execute_cast,3}: no answer */
    ELFS_CALL_REX,      /* {Pid,{call,M,F,A,GL}} to rex: {rex,Reply}; ei_rpc and erl_call */
    ELFS_CALL_GEN_REX,  /* {'$gen_call',{Pid,Tag},{call,M,F,A,GL}} to rex: {Tag,Reply}; rpc before
                           OTP 23, and rpc:block_call */
    ELFS_CALL_REX_CAST, /* {'$gen_cast',{cast,M,F,A,GL}} to rex: no answer */
};

/* Views into the message; terms are whole and checked. */
struct elfs_call {
    enum elfs_call_style style;
    struct elfs_view req_id;   /* ERPC, CAST: the spawn request's reference */
    struct elfs_view caller;   /* the calling process's pid: the owner of what it begins */
    struct elfs_view tag;      /* ERPC: Ref of {Ref,return,V}; GEN_REX: Tag */
    struct elfs_view module;   /* text */
    struct elfs_view function; /* text */
    struct elfs_view args;     /* the argument list, whole */
    struct elfs_view mfa;      /* M, F and A as they came, one after the other: echoed in a stack */
};

/* Reads the call out of a SPAWN_REQUEST. ELFS_UNDEF: it asks for something else than erpc does
 * (spawn/4 and its kin, a link, execute_call without the monitor that carries its answer);
 * ELFS_BADARG: erpc with a message that is not erpc's. */
enum elfs_code elfs_call_of_spawn(const struct elfs_dist_msg *msg, struct elfs_call *call);

/* Reads the call out of a message to `rex`. ELFS_BADARG: not a call. */
enum elfs_code elfs_call_of_rex(const struct elfs_dist_msg *msg, struct elfs_call *call);

/* net_kernel's {'$gen_call',{Pid,Tag},{is_auth,Node}} (net_adm:ping): true, and where to answer
 * {Tag,yes}. */
bool elfs_call_is_auth(const struct elfs_dist_msg *msg, struct elfs_view *to,
                       struct elfs_view *tag);

/* Opens the frame of an answer that returns a value: the caller appends one term and closes it with
 * elfs_frame_close. pid is our process of the call (ERPC only). Not for casts. */
size_t elfs_call_open_return(struct elfs_buf *buf, const struct elfs_call *call,
                             struct elfs_view pid);

/* Appends the whole answer of a call that raised: error:Reason with the stack [{M,F,Args,[]}],
 * reason an atom such as "undef" or "badarg". What a BEAM gives: {exception,undef,[{M,F,Args,[]}]}
 * from erpc, {badrpc,{'EXIT',{undef,[{M,F,Args,[]}]}}} from rex. */
enum elfs_code elfs_call_raise(struct elfs_buf *buf, const struct elfs_call *call,
                               struct elfs_view pid, const char *reason);

/* The same for any reason: the caller appends it as one term between the two. */
size_t elfs_call_open_raise(struct elfs_buf *buf, const struct elfs_call *call,
                            struct elfs_view pid);
enum elfs_code elfs_call_close_raise(struct elfs_buf *buf, const struct elfs_call *call,
                                     size_t mark);

/* Appends SEND of {Tag, yes} to `to`: the answer to is_auth. */
enum elfs_code elfs_call_put_auth(struct elfs_buf *buf, struct elfs_view to, struct elfs_view tag);

#endif
