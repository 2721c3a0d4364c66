/* socket - the socket callbacks that we hand to ei.
 *
 * They do what ei's own would (erl_interface, ei_connect(3), "User Supplied Socket
 * Implementation"), and more: one deadline for a whole handshake, cancellation, no SIGPIPE, and
 * capability flags beyond those that ei announces.
 */
#ifndef ELFS_EI_SOCKET_H
#define ELFS_EI_SOCKET_H

#include <ei.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Capability flags (erl_dist_protocol, "Distribution Flags") that ei does not announce. */
#define ELFS_DFLAG_PUBLISHED UINT64_C(0x1)
#define ELFS_DFLAG_DIST_MONITOR_NAME UINT64_C(0x20)
#define ELFS_DFLAG_EXIT_PAYLOAD UINT64_C(0x400000)
#define ELFS_DFLAG_SPAWN (UINT64_C(1) << 32)
#define ELFS_DFLAG_ALIAS (UINT64_C(1) << 35)

/* How far a handshake came, for its log line. */
struct elfs_ei_session {
    int accepted_fd; /* the socket to hand to ei_accept; -1 when dialling */
    struct sockaddr_in from;
    int cancel_fd; /* readable: give up; -1: none */
    int64_t deadline_ms;
    uint64_t flags; /* to be announced beside ei's own */
    bool flags_sent;
    bool connected;
    bool timed_out;
    bool cancelled;
    bool peer_closed;
    int bytes_read;
    bool digest_seen; /* the peer's answer to our challenge came: what fails now is the cookie */
};

/* Sets the session of the calling thread: ei's callbacks cannot be given one. NULL ends it. */
void elfs_ei_session_set(struct elfs_ei_session *session);

/* For ei_connect_xinit_ussi; lives for ever. */
ei_socket_callbacks *elfs_ei_callbacks(void);

#endif
