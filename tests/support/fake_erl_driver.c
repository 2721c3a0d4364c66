/* fake_erl_driver - see fake_erl_driver.h. */
#include "fake_erl_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <erl_driver.h>
#include <pthread.h>
#include <time.h>

#include "base/list.h"

#define WAIT_S 10
#define ATOM_DATA 4711

ErlDrvEntry *driver_init(void);

struct message {
    struct elfs_list link;
    struct elfs_view bytes;
};

/* The C library's heap, not ours: tests make that one fail. */
static struct elfs_view copy_of(const void *bytes, size_t len) {
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (!copy) abort();
    if (len > 0) memcpy(copy, bytes, len);
    return (struct elfs_view){copy, len};
}

static void free_view(struct elfs_view view) { free((void *)(uintptr_t)view.data); }

struct fake_port {
    struct elfs_list link;
    ErlDrvTermData term; /* never used again */
    ErlDrvData data;
    bool binary;
    pthread_mutex_t lock; /* the VM's port lock, held in each call of the driver */
    struct elfs_list messages;
    bool failed;
};

static ErlDrvEntry *driver;
static bool locked;

/* For the ports, their messages and failed. */
static pthread_mutex_t world = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static struct elfs_list ports = {&ports, &ports};
static ErlDrvTermData last_term = 1000;

static struct fake_port *of(ErlDrvPort port) { return (struct fake_port *)(void *)port; }

static struct fake_port *find(ErlDrvTermData term) {
    for (struct elfs_list *link = ports.next; link != &ports; link = link->next) {
        struct fake_port *port = ELFS_CONTAINER_OF(link, struct fake_port, link);
        if (port->term == term) return port;
    }
    return NULL;
}

/* ---- what the driver calls ---- */

ErlDrvTermData driver_mk_port(ErlDrvPort port) { return of(port)->term; }

ErlDrvTermData driver_mk_atom(char *name) {
    assert_string_equal(name, "data");
    return ATOM_DATA;
}

void set_port_control_flags(ErlDrvPort port, int flags) {
    of(port)->binary = flags & PORT_CONTROL_FLAG_BINARY;
}

ErlDrvBinary *driver_alloc_binary(ErlDrvSizeT size) {
    ErlDrvBinary *binary = malloc(sizeof *binary + size);
    if (binary) binary->orig_size = (ErlDrvSInt)size;
    return binary;
}

int driver_failure_atom(ErlDrvPort port, char *reason) {
    (void)reason;
    pthread_mutex_lock(&world);
    of(port)->failed = true;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&world);
    return 0;
}

int driver_lock_driver(ErlDrvPort port) {
    (void)port;
    locked = true;
    return 0;
}

/* {Port, {data, Binary}} and nothing else. abort: an assertion of cmocka's works in its thread
 * only. */
int erl_drv_output_term(ErlDrvTermData term, ErlDrvTermData *spec, int n) {
    const ErlDrvTermData expected[] = {
        ERL_DRV_PORT,  term, ERL_DRV_ATOM,  ATOM_DATA, ERL_DRV_BUF2BINARY, spec[5], spec[6],
        ERL_DRV_TUPLE, 2,    ERL_DRV_TUPLE, 2};
    if (n != 11 || memcmp(spec, expected, sizeof expected) != 0) abort();
    pthread_mutex_lock(&world);
    struct fake_port *port = find(term);
    if (port) {
        struct message *message = malloc(sizeof *message);
        if (!message) abort();
        message->bytes = copy_of((const void *)spec[5], spec[6]);
        elfs_list_push_back(&port->messages, &message->link);
        pthread_cond_broadcast(&news);
    }
    pthread_mutex_unlock(&world);
    return port ? 1 : -1;
}

/* ---- what the VM does ---- */

void fake_driver_load(void) {
    driver = driver_init();
    locked = false;
    assert_int_equal(driver->extended_marker, (int)ERL_DRV_EXTENDED_MARKER);
    assert_true(driver->driver_flags & ERL_DRV_FLAG_USE_PORT_LOCKING);
    assert_int_equal(driver->init(), 0);
}

bool fake_driver_is_locked(void) { return locked; }

static void free_port(struct fake_port *port) {
    for (struct elfs_list *link; (link = elfs_list_pop_front(&port->messages));) {
        struct message *message = ELFS_CONTAINER_OF(link, struct message, link);
        free_view(message->bytes);
        free(message);
    }
    pthread_mutex_destroy(&port->lock);
    free(port);
}

struct fake_port *fake_port_open(void) {
    static char command[] = "ecto_litefs_drv";
    struct fake_port *port = calloc(1, sizeof *port);
    assert_non_null(port);
    assert_string_equal(driver->driver_name, command);
    pthread_mutex_init(&port->lock, NULL);
    elfs_list_init(&port->messages);
    pthread_mutex_lock(&world);
    port->term = ++last_term;
    elfs_list_push_back(&ports, &port->link);
    pthread_mutex_unlock(&world);
    pthread_mutex_lock(&port->lock);
    port->data = driver->start((ErlDrvPort)(void *)port, command);
    pthread_mutex_unlock(&port->lock);
    if (port->data != ERL_DRV_ERROR_GENERAL) return port;
    pthread_mutex_lock(&world);
    elfs_list_remove(&port->link);
    pthread_mutex_unlock(&world);
    free_port(port);
    return NULL;
}

void fake_port_close(struct fake_port *port) {
    pthread_mutex_lock(&world);
    elfs_list_remove(&port->link);
    pthread_mutex_unlock(&world);
    pthread_mutex_lock(&port->lock);
    driver->stop(port->data);
    pthread_mutex_unlock(&port->lock);
    free_port(port);
}

void fake_driver_unload(void) {
    while (!elfs_list_empty(&ports))
        fake_port_close(ELFS_CONTAINER_OF(ports.next, struct fake_port, link));
    driver->finish();
}

/* The driver gets a copy of exactly that size: what it reads beyond it is seen. */
void fake_port_command(struct fake_port *port, struct elfs_view bytes) {
    struct elfs_view copy = copy_of(bytes.data, bytes.len);
    pthread_mutex_lock(&port->lock);
    driver->output(port->data, (char *)(uintptr_t)copy.data, copy.len);
    pthread_mutex_unlock(&port->lock);
    free_view(copy);
}

bool fake_port_control(struct fake_port *port, unsigned command, struct elfs_view arg,
                       struct elfs_view *result) {
    char small[64];
    char *out = small;
    pthread_mutex_lock(&port->lock);
    ErlDrvSSizeT n = driver->control(port->data, command, (char *)(uintptr_t)arg.data, arg.len,
                                     &out, sizeof small);
    pthread_mutex_unlock(&port->lock);
    if (n < 0) return false;
    assert_true(port->binary);
    ErlDrvBinary *binary = (ErlDrvBinary *)(void *)out;
    assert_int_equal(binary->orig_size, n);
    *result = copy_of(binary->orig_bytes, (size_t)n);
    free(binary);
    return true;
}

bool fake_port_receive(struct fake_port *port, struct elfs_view *bytes) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_S;
    int rc = 0;
    pthread_mutex_lock(&world);
    while (elfs_list_empty(&port->messages) && !port->failed && rc == 0)
        rc = pthread_cond_timedwait(&news, &world, &deadline);
    struct elfs_list *link = elfs_list_pop_front(&port->messages);
    pthread_mutex_unlock(&world);
    if (rc != 0) fail_msg("no message came");
    if (!link) return false;
    struct message *message = ELFS_CONTAINER_OF(link, struct message, link);
    *bytes = message->bytes;
    free(message);
    return true;
}
