/* look - see look.h. */
#include "detect/look.h"

#include <pthread.h>
#include <signal.h>

#include "base/alloc.h"

struct elfs_look {
    struct elfs_look_config config;
    pthread_t thread;
    struct elfs_look_result scratch; /* the thread's own */

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t asked_or_stop;
    unsigned asked;
    bool stop;
    struct elfs_look_result result;
};

/* Waits for something to do; 0: stop. */
static unsigned next(struct elfs_look *look) {
    pthread_mutex_lock(&look->lock);
    while (look->asked == 0 && !look->stop) pthread_cond_wait(&look->asked_or_stop, &look->lock);
    unsigned what = look->stop ? 0 : look->asked;
    /* one at a time, the mount first: its outcome need not wait for the row's */
    what = what & ELFS_LOOK_MOUNT ? ELFS_LOOK_MOUNT : what;
    look->asked &= ~what;
    pthread_mutex_unlock(&look->lock);
    return what;
}

static void publish(struct elfs_look *look, unsigned what) {
    pthread_mutex_lock(&look->lock);
    if (what == ELFS_LOOK_MOUNT)
        look->result.reading = look->scratch.reading;
    else if (what == ELFS_LOOK_ROW)
        memcpy(look->result.node, look->scratch.node, sizeof look->result.node);
    look->result.what |= what;
    pthread_mutex_unlock(&look->lock);
    look->config.wake(look->config.arg);
}

/* Returns what there is to publish. */
static unsigned read_row(struct elfs_look *look) {
    enum elfs_code code = look->config.read_row(look->config.row_arg, look->scratch.node);
    if (code == ELFS_OK) return ELFS_LOOK_ROW;
    if (code != ELFS_MALFORMED) return ELFS_LOOK_NO_ROW;
    look->scratch.node[0] = '\0';
    return ELFS_LOOK_ROW;
}

static void *run(void *arg) {
    struct elfs_look *look = arg;
    for (unsigned what; (what = next(look)) != 0; publish(look, what)) {
        if (what == ELFS_LOOK_MOUNT)
            elfs_mount_read(&look->config.place, &look->scratch.reading);
        else
            what = read_row(look);
    }
    return NULL;
}

enum elfs_code elfs_look_start(const struct elfs_look_config *config, struct elfs_look **out) {
    *out = NULL;
    struct elfs_look *look = elfs_calloc(1, sizeof *look);
    if (!look) return ELFS_NOMEM;
    look->config = *config;
    pthread_mutex_init(&look->lock, NULL);
    pthread_cond_init(&look->asked_or_stop, NULL);
    /* signals are the main thread's */
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* it is sent to the thread that causes it */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&look->thread, NULL, run, look);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) {
        *out = look;
        return ELFS_OK;
    }
    pthread_cond_destroy(&look->asked_or_stop);
    pthread_mutex_destroy(&look->lock);
    elfs_free(look);
    return ELFS_SYSTEM;
}

void elfs_look_ask(struct elfs_look *look, unsigned what) {
    pthread_mutex_lock(&look->lock);
    look->asked |= what;
    pthread_cond_signal(&look->asked_or_stop);
    pthread_mutex_unlock(&look->lock);
}

void elfs_look_take(struct elfs_look *look, struct elfs_look_result *result) {
    pthread_mutex_lock(&look->lock);
    result->what = look->result.what;
    if (result->what != 0) *result = look->result;
    look->result.what = 0;
    pthread_mutex_unlock(&look->lock);
}

void elfs_look_stop(struct elfs_look *look) {
    pthread_mutex_lock(&look->lock);
    look->stop = true;
    pthread_cond_signal(&look->asked_or_stop);
    pthread_mutex_unlock(&look->lock);
    pthread_join(look->thread, NULL);
    pthread_cond_destroy(&look->asked_or_stop);
    pthread_mutex_destroy(&look->lock);
    elfs_free(look);
}
