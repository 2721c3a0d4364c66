/* load - threads that insert rows through the C client library, for Common Test.
 *
 *   load COOKIE_FILE TIMEOUT_MS THREADS ROWS PAUSE_MS NODE...
 *
 * Each thread has a client and inserts ROWS rows '<thread>-<row>' into t (k) of Test.Repo, and prints a
 * line for each: "done", "repeated", "refused", "no_primary", "unreachable", "unknown" or "broken", the
 * row, and why. Then it pauses.
 */
#include <ecto_litefs.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS_MAX 16

static struct elfs_client_config config;
static int rows;
static int pause_ms;

static const char *word_for(enum elfs_client_code code, bool repeated) {
    switch (code) {
    case ELFS_CLIENT_OK: return repeated ? "repeated" : "done";
    case ELFS_CLIENT_REFUSED: return "refused";
    case ELFS_CLIENT_NO_PRIMARY: return "no_primary";
    case ELFS_CLIENT_UNREACHABLE: return "unreachable";
    case ELFS_CLIENT_UNKNOWN: return "unknown";
    default: return "broken";
    }
}

static void insert(struct elfs_client *client, int thread, int row) {
    char key[32];
    snprintf(key, sizeof key, "%d-%d", thread, row);
    struct elfs_client_value value = elfs_client_text(key);
    struct elfs_client_statement statement = {"INSERT INTO t (k) VALUES (?)", &value, 1};
    struct elfs_client_result *result;
    struct elfs_client_error err;
    enum elfs_client_code code =
        elfs_client_query(client, "Test.Repo", &statement, NULL, &result, &err);
    bool repeated = code == ELFS_CLIENT_OK && elfs_client_result_repeated(result);
    printf("%s %s %s %s\n", word_for(code, repeated), key, err.name, err.message);
    fflush(stdout);
    elfs_client_result_free(result);
}

static void *run(void *arg) {
    struct elfs_client *client;
    struct elfs_client_error err;
    if (elfs_client_new(&config, &client, &err) != ELFS_CLIENT_OK) {
        printf("broken %s\n", err.message);
        return NULL;
    }
    for (int row = 0; row < rows; row++) {
        insert(client, *(int *)arg, row);
        poll(NULL, 0, pause_ms);
    }
    elfs_client_free(client);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS_MAX];
    int numbers[THREADS_MAX];
    if (argc < 7) return 2;
    config = (struct elfs_client_config){
        .cookie_file = argv[1],
        .timeout_ms = strtol(argv[2], NULL, 10),
        .connect_timeout_ms = 500,
        .nodes = (const char *const *)argv + 6,
        .node_count = (size_t)argc - 6,
    };
    long count = strtol(argv[3], NULL, 10);
    rows = (int)strtol(argv[4], NULL, 10);
    pause_ms = (int)strtol(argv[5], NULL, 10);
    if (count < 1 || count > THREADS_MAX) return 2;
    for (int i = 0; i < count; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, run, &numbers[i]) != 0) return 1;
    }
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    return 0;
}
