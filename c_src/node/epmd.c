/* epmd - see epmd.h. One thread: it waits on the registration's connection and on a stop pipe. */
#include "node/epmd.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "ei/epmd_lookup.h"
#include "ei/net.h"

#define TIMEOUT_MS 5000
#define START_WAIT_MS 5000
#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 10000

extern char **environ;

static struct in_addr localhost(void) { return (struct in_addr){.s_addr = htonl(INADDR_LOOPBACK)}; }

struct elfs_epmd {
    struct elfs_handshakes *hs;
    char *alive;
    uint16_t port;
    int fd; /* the registration; -1 while it is lost */
    int stop_fds[2];
    pthread_t thread;
};

/* Runs `epmd -daemon`, which returns at once, and waits until EPMD takes connections. */
static bool start_daemon(void) {
    char *argv[] = {"epmd", "-daemon", NULL};
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, "epmd", NULL, NULL, argv, environ) != 0) return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    int64_t deadline = elfs_clock_ms() + START_WAIT_MS;
    while (elfs_clock_ms() < deadline) {
        int fd = elfs_epmd_connect(localhost(), TIMEOUT_MS);
        if (fd >= 0) {
            close(fd);
            return true;
        }
        poll(NULL, 0, 20);
    }
    return false;
}

static enum elfs_code register_first(struct elfs_epmd *epmd, struct elfs_error *err) {
    uint16_t other;
    enum elfs_epmd_lookup found = elfs_epmd_lookup(localhost(), epmd->alive, TIMEOUT_MS, &other);
    if (found == ELFS_EPMD_NO_ANSWER && !start_daemon())
        return elfs_fail(err, ELFS_SYSTEM,
                         "no EPMD answers on port %u and `epmd -daemon` could not be started: "
                         "install erlang-base, start epmd, or use --no-epmd",
                         elfs_epmd_port());
    if (found != ELFS_EPMD_FOUND)
        epmd->fd = elfs_handshakes_publish(epmd->hs, epmd->port, TIMEOUT_MS);
    if (epmd->fd >= 0) return ELFS_OK;
    if (elfs_epmd_lookup(localhost(), epmd->alive, TIMEOUT_MS, &other) == ELFS_EPMD_FOUND)
        return elfs_fail(err, ELFS_SYSTEM,
                         "the name %s is taken: a node on port %u of this host is registered "
                         "under it with EPMD",
                         epmd->alive, other);
    return elfs_fail(err, ELFS_SYSTEM, "EPMD on port %u refused to register %s", elfs_epmd_port(),
                     epmd->alive);
}

/* Waits until the registration's connection ends (true) or we are to stop (false). */
static bool wait_lost(struct elfs_epmd *epmd, int timeout_ms) {
    struct pollfd fds[2] = {{.fd = epmd->stop_fds[0], .events = POLLIN},
                            {.fd = epmd->fd, .events = POLLIN}};
    for (;;) {
        int n = poll(fds, epmd->fd >= 0 ? 2 : 1, timeout_ms);
        if (n < 0 && errno == EINTR) continue;
        return fds[0].revents == 0;
    }
}

static void *keep_registered(void *arg) {
    struct elfs_epmd *epmd = arg;
    while (wait_lost(epmd, -1)) {
        char byte;
        if (read(epmd->fd, &byte, 1) > 0) continue; /* EPMD says nothing after the answer */
        close(epmd->fd);
        epmd->fd = -1;
        elfs_log(ELFS_LOG_WARNING, "epmd_lost", "name=s", epmd->alive);
        for (int wait_ms = RETRY_MIN_MS; epmd->fd < 0;) {
            if (!wait_lost(epmd, wait_ms)) return NULL;
            epmd->fd = elfs_handshakes_publish(epmd->hs, epmd->port, TIMEOUT_MS);
            wait_ms = wait_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : wait_ms * 2;
        }
        elfs_log(ELFS_LOG_INFO, "epmd_registered", "name=s port=d", epmd->alive, (int)epmd->port);
    }
    return NULL;
}

enum elfs_code elfs_epmd_start(struct elfs_handshakes *hs, const char *alive, uint16_t port,
                               struct elfs_epmd **out, struct elfs_error *err) {
    *out = NULL;
    enum elfs_code code = ELFS_NOMEM;
    struct elfs_epmd *epmd = elfs_calloc(1, sizeof *epmd);
    if (!epmd) return elfs_fail(err, code, "out of memory");
    epmd->hs = hs;
    epmd->port = port;
    epmd->fd = -1;
    epmd->alive = elfs_strdup(alive);
    if (!epmd->alive) {
        elfs_fail(err, code, "out of memory");
        goto free_block;
    }
    code = register_first(epmd, err);
    if (code != ELFS_OK) goto free_name;
    code = ELFS_SYSTEM;
    if (pipe(epmd->stop_fds) != 0) {
        elfs_fail(err, code, "pipe: %s", strerror(errno));
        goto close_fd;
    }
    elfs_net_set_cloexec(epmd->stop_fds[0]);
    elfs_net_set_cloexec(epmd->stop_fds[1]);
    if (pthread_create(&epmd->thread, NULL, keep_registered, epmd) != 0) {
        elfs_fail(err, code, "cannot start a thread");
        goto close_pipe;
    }
    *out = epmd;
    return ELFS_OK;

close_pipe:
    close(epmd->stop_fds[0]);
    close(epmd->stop_fds[1]);
close_fd:
    close(epmd->fd);
free_name:
    elfs_free(epmd->alive);
free_block:
    elfs_free(epmd);
    return code;
}

void elfs_epmd_stop(struct elfs_epmd *epmd) {
    if (!epmd) return;
    close(epmd->stop_fds[1]); /* the other end becomes readable and stays so */
    pthread_join(epmd->thread, NULL);
    close(epmd->stop_fds[0]);
    if (epmd->fd >= 0) close(epmd->fd);
    elfs_free(epmd->alive);
    elfs_free(epmd);
}
