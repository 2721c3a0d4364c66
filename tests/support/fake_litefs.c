/* fake_litefs - see fake_litefs.h. One thread accepts and answers; streams are written to by the
 * test's thread, under the lock. */
#include "fake_litefs.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define CONNS_MAX 64
#define REQUEST_MAX 4096
#define WAIT_S 10

struct conn {
    int fd; /* -1: free */
    char request[REQUEST_MAX];
    size_t len;
};

struct fake_litefs {
    int listener;
    int stop[2];
    pthread_t thread;
    char url[64];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct conn conns[CONNS_MAX];
    int stream; /* index of the newest one, -1 */
    int streams;
    int infos;
    char *greeting;
    char *info;
    char *elsewhere;
};

static bool send_all(int fd, const void *raw, size_t len) {
    for (size_t done = 0; done < len;) {
        ssize_t n = send(fd, (const char *)raw + done, len - done, MSG_NOSIGNAL);
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

static void close_conn(struct fake_litefs *fake, int i) {
    if (fake->conns[i].fd < 0) return;
    close(fake->conns[i].fd);
    fake->conns[i].fd = -1;
    if (fake->stream == i) fake->stream = -1;
}

static void answer(struct fake_litefs *fake, int i) {
    struct conn *conn = &fake->conns[i];
    const char *raw = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    if (strncmp(conn->request, "GET /events ", 12) == 0) {
        fake->streams++;
        fake->stream = i;
        raw = fake->greeting;
    } else if (strncmp(conn->request, "GET /info ", 10) == 0) {
        fake->infos++;
        raw = fake->info;
    } else if (fake->elsewhere && strncmp(conn->request, "GET /elsewhere ", 15) == 0) {
        raw = fake->elsewhere;
    }
    conn->len = 0;
    if (raw) send_all(conn->fd, raw, strlen(raw));
    pthread_cond_broadcast(&fake->changed);
}

static void receive(struct fake_litefs *fake, int i) {
    struct conn *conn = &fake->conns[i];
    ssize_t n = recv(conn->fd, conn->request + conn->len, REQUEST_MAX - 1 - conn->len, 0);
    if (n <= 0) {
        close_conn(fake, i);
        return;
    }
    conn->len += (size_t)n;
    conn->request[conn->len] = '\0';
    if (strstr(conn->request, "\r\n\r\n")) answer(fake, i);
}

static void accept_conn(struct fake_litefs *fake) {
    int fd = accept(fake->listener, NULL, NULL);
    for (int i = 0; fd >= 0 && i < CONNS_MAX; i++) {
        if (fake->conns[i].fd >= 0) continue;
        fake->conns[i].fd = fd;
        fake->conns[i].len = 0;
        return;
    }
    if (fd >= 0) close(fd);
}

static void *serve(void *arg) {
    struct fake_litefs *fake = arg;
    for (;;) {
        struct pollfd fds[2 + CONNS_MAX] = {{fake->stop[0], POLLIN, 0},
                                            {fake->listener, POLLIN, 0}};
        pthread_mutex_lock(&fake->lock);
        for (int i = 0; i < CONNS_MAX; i++)
            fds[2 + i] = (struct pollfd){fake->conns[i].fd, POLLIN, 0};
        pthread_mutex_unlock(&fake->lock);
        poll(fds, 2 + CONNS_MAX, -1);
        char byte;
        if (fds[0].revents && read(fake->stop[0], &byte, 1) == 1 && byte == 'q') return NULL;
        pthread_mutex_lock(&fake->lock);
        for (int i = 0; i < CONNS_MAX; i++) {
            if (fds[2 + i].revents && fake->conns[i].fd == fds[2 + i].fd) receive(fake, i);
        }
        if (fds[1].revents) accept_conn(fake);
        pthread_mutex_unlock(&fake->lock);
    }
}

static void replace(char **text, const char *with) {
    free(*text);
    *text = with ? strdup(with) : NULL;
}

struct fake_litefs *fake_litefs_start(void) {
    struct fake_litefs *fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(fake->listener, 16), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&addr, &len), 0);
    assert_int_equal(pipe(fake->stop), 0);
    snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%d/events", ntohs(addr.sin_port));
    for (int i = 0; i < CONNS_MAX; i++) fake->conns[i].fd = -1;
    fake->stream = -1;
    replace(&fake->greeting, FAKE_EVENTS_HEAD);
    replace(&fake->info, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->changed, NULL);
    assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
    return fake;
}

void fake_litefs_stop(struct fake_litefs *fake) {
    assert_int_equal(write(fake->stop[1], "q", 1), 1);
    pthread_join(fake->thread, NULL);
    for (int i = 0; i < CONNS_MAX; i++) close_conn(fake, i);
    close(fake->listener);
    close(fake->stop[0]);
    close(fake->stop[1]);
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->lock);
    replace(&fake->greeting, NULL);
    replace(&fake->info, NULL);
    replace(&fake->elsewhere, NULL);
    free(fake);
}

const char *fake_litefs_url(const struct fake_litefs *fake) { return fake->url; }

void fake_litefs_greet(struct fake_litefs *fake, const char *raw) {
    pthread_mutex_lock(&fake->lock);
    replace(&fake->greeting, raw);
    pthread_mutex_unlock(&fake->lock);
}

void fake_litefs_answer_info(struct fake_litefs *fake, const char *raw) {
    pthread_mutex_lock(&fake->lock);
    replace(&fake->info, raw);
    pthread_mutex_unlock(&fake->lock);
}

void fake_litefs_answer_elsewhere(struct fake_litefs *fake, const char *raw) {
    pthread_mutex_lock(&fake->lock);
    replace(&fake->elsewhere, raw);
    pthread_mutex_unlock(&fake->lock);
}

void fake_litefs_info(struct fake_litefs *fake, bool is_primary, const char *hostname) {
    char body[512], raw[1024];
    snprintf(body, sizeof body,
             "{\n  \"clusterID\": \"LFSCB40223C1D14F0751\",\n  \"isPrimary\": %s,\n"
             "  \"candidate\": true,\n  \"path\": \"/data\",\n"
             "  \"primary\": {\n    \"hostname\": \"%s\"\n  }\n}\n",
             is_primary ? "true" : "false", hostname);
    snprintf(raw, sizeof raw, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
             body);
    fake_litefs_answer_info(fake, raw);
}

static void await(struct fake_litefs *fake, const int *counter, int count) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_S;
    int rc = 0;
    pthread_mutex_lock(&fake->lock);
    while (*counter < count && rc == 0)
        rc = pthread_cond_timedwait(&fake->changed, &fake->lock, &deadline);
    int seen = *counter;
    pthread_mutex_unlock(&fake->lock);
    if (seen < count) fail_msg("%d requests of %d came", seen, count);
}

void fake_litefs_await_streams(struct fake_litefs *fake, int count) {
    await(fake, &fake->streams, count);
}

void fake_litefs_await_infos(struct fake_litefs *fake, int count) {
    await(fake, &fake->infos, count);
}

int fake_litefs_streams(struct fake_litefs *fake) {
    pthread_mutex_lock(&fake->lock);
    int streams = fake->streams;
    pthread_mutex_unlock(&fake->lock);
    return streams;
}

bool fake_litefs_send(struct fake_litefs *fake, const void *raw, size_t len) {
    pthread_mutex_lock(&fake->lock);
    bool ok = fake->stream >= 0 && send_all(fake->conns[fake->stream].fd, raw, len);
    pthread_mutex_unlock(&fake->lock);
    return ok;
}

bool fake_litefs_say(struct fake_litefs *fake, const char *events) {
    size_t size = strlen(events) + 64;
    char *chunk = malloc(size);
    assert_non_null(chunk);
    int n = snprintf(chunk, size, "%zx\r\n%s\r\n", strlen(events), events);
    bool ok = fake_litefs_send(fake, chunk, (size_t)n);
    free(chunk);
    return ok;
}

void fake_litefs_cut(struct fake_litefs *fake) {
    pthread_mutex_lock(&fake->lock);
    /* shut down only: the thread may be polling them; it closes them when it sees their end */
    for (int i = 0; i < CONNS_MAX; i++) {
        if (fake->conns[i].fd >= 0) shutdown(fake->conns[i].fd, SHUT_RDWR);
    }
    fake->stream = -1;
    pthread_mutex_unlock(&fake->lock);
}

void fake_mount_make(char path[64]) {
    snprintf(path, 64, "/tmp/elfs_mount_XXXXXX");
    assert_non_null(mkdtemp(path));
}

void fake_mount_put(const char *path, const char *name, const char *text) {
    char file[512], temporary[512];
    snprintf(file, sizeof file, "%s/%s", path, name);
    if (!text) {
        unlink(file);
        return;
    }
    /* whole at once, as LiteFS's files are */
    snprintf(temporary, sizeof temporary, "%s/tmp", path);
    FILE *out = fopen(temporary, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    fclose(out);
    assert_int_equal(rename(temporary, file), 0);
}

void fake_mount_remove(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(path);
}
