/* driver - the port driver ecto_litefs_drv: detection for a BEAM app, inside its VM.
 *
 * The messages are the port program's (docs/port.md) without their lengths. open_port makes a
 * session (port_session.h), port_command hands it a request, closing the port ends it.
 * port_control(Port, 1, <<>>) returns the State that was published last.
 *
 * Threads. The VM calls the functions below one at a time for each port (port locking). The
 * detector's thread belongs to the session and sends news itself, with erl_drv_output_term, which
 * any thread may call: it takes no lock of the port, builds {Port, {data, Binary}} for the port's
 * owner of that moment, and does nothing for a port that is being closed. The other way, a pipe
 * and driver_select, would cost two descriptors and a turn through the poll thread and a scheduler
 * for each message, and would need the same care at the end. `configured` precedes the first
 * `change` since the session is locked while it serves a request.
 *
 * The end. However a port ends (closed, its owner dead, the driver unloaded, the VM halted), the VM
 * calls stop, which joins the detector's threads. One that hangs in a dead mount must not take a
 * scheduler with it: after STOP_MS it is left to end by itself, and the driver is locked in memory,
 * since unloading it would take the code away from under that thread. The next port that is opened
 * after its end frees what it used.
 *
 * The tracker row is not read here: the VM may have the database open with another copy of SQLite
 * (exqlite brings its own), whose locks would be gone once ours closed the file.
 */
#include <curl/curl.h>
#include <erl_driver.h>
#include <pthread.h>

#include "app/port_session.h"
#include "base/alloc.h"
#include "base/list.h"

#define CONTROL_STATE 1
#define STATE_MAX (1 << 20)
#define STOP_MS 2000

struct driver {
    struct elfs_list link; /* on `left` */
    ErlDrvPort port;
    ErlDrvTermData port_term;
    ErlDrvTermData atom_data;
    struct elfs_port_session *session;
};

static bool emit(void *arg, struct elfs_view message) {
    struct driver *d = arg;
    ErlDrvTermData spec[] = {ERL_DRV_PORT,
                             d->port_term,
                             ERL_DRV_ATOM,
                             d->atom_data,
                             ERL_DRV_BUF2BINARY,
                             (ErlDrvTermData)message.data,
                             message.len,
                             ERL_DRV_TUPLE,
                             2,
                             ERL_DRV_TUPLE,
                             2};
    erl_drv_output_term(d->port_term, spec, sizeof spec / sizeof spec[0]);
    return true;
}

/* Without memory the news stay, and are told with the next. */
static void news(void *arg) {
    struct driver *d = arg;
    elfs_port_session_tell(d->session);
}

/* One count of libcurl's for as long as the driver is loaded: its set-up is not done again for each
 * port, and what it shares with other users in the VM stays theirs. */
static int init(void) { return curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK ? 0 : -1; }

static void finish(void) { curl_global_cleanup(); }

/* Closed ports whose threads hang. */
static struct elfs_list left = {&left, &left};
static pthread_mutex_t left_lock = PTHREAD_MUTEX_INITIALIZER;

static void leave(struct driver *d) {
    driver_lock_driver(d->port);
    pthread_mutex_lock(&left_lock);
    elfs_list_push_back(&left, &d->link);
    pthread_mutex_unlock(&left_lock);
}

static void free_left(void) {
    pthread_mutex_lock(&left_lock);
    for (struct elfs_list *link = left.next, *next; link != &left; link = next) {
        struct driver *d = ELFS_CONTAINER_OF(link, struct driver, link);
        next = link->next;
        if (!elfs_port_session_free(d->session, 0)) continue;
        elfs_list_remove(link);
        elfs_free(d);
    }
    pthread_mutex_unlock(&left_lock);
}

static ErlDrvData start(ErlDrvPort port, char *command) {
    (void)command;
    free_left();
    struct driver *d = elfs_malloc(sizeof *d);
    if (!d) return ERL_DRV_ERROR_GENERAL;
    *d = (struct driver){
        .port = port, .port_term = driver_mk_port(port), .atom_data = driver_mk_atom("data")};
    struct elfs_port_hooks hooks = {.arg = d, .emit = emit, .news = news};
    if (elfs_port_session_new(&hooks, &d->session) != ELFS_OK) {
        elfs_free(d);
        return ERL_DRV_ERROR_GENERAL;
    }
    set_port_control_flags(port, PORT_CONTROL_FLAG_BINARY);
    return (ErlDrvData)d;
}

static void stop(ErlDrvData data) {
    struct driver *d = (struct driver *)data;
    if (elfs_port_session_free(d->session, STOP_MS))
        elfs_free(d);
    else
        leave(d);
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len) {
    struct driver *d = (struct driver *)data;
    struct elfs_view message = {(const uint8_t *)buf, len};
    if (len > ELFS_PORT_MESSAGE_MAX)
        driver_failure_atom(d->port, (char *)"message_too_large");
    else if (elfs_port_session_request(d->session, message) != ELFS_OK)
        driver_failure_atom(d->port, (char *)"enomem");
}

/* A negative length is badarg for the caller. */
static ErlDrvSSizeT control(ErlDrvData data, unsigned command, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen) {
    struct driver *d = (struct driver *)data;
    ErlDrvSSizeT result = -1;
    struct elfs_buf state;
    (void)buf;
    (void)rlen;
    if (command != CONTROL_STATE || len != 0) return -1;
    elfs_buf_init(&state, STATE_MAX);
    if (elfs_port_session_state(d->session, &state) == ELFS_OK) {
        ErlDrvBinary *binary = driver_alloc_binary(state.len);
        if (binary) {
            memcpy(binary->orig_bytes, state.data, state.len);
            *rbuf = (char *)binary;
            result = (ErlDrvSSizeT)state.len;
        }
    }
    elfs_buf_fini(&state);
    return result;
}

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .stop = stop,
    .output = output,
    .driver_name = (char *)"ecto_litefs_drv",
    .finish = finish,
    .control = control,
    .extended_marker = (int)ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(ecto_litefs_drv) { return &entry; }
