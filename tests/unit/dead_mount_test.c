/* dead_mount_test - a page that cannot be had any more, of a file cut short: what a mapped file on a dead mount is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/dead_mount.h"
#include "temp_dir.h"

static char dir[64];
static char path[96]; /* of the file */
static volatile unsigned char *page;
static size_t size;
static bool mount_is_dead;

static bool is_dead(int folder) {
    (void)folder;
    return mount_is_dead;
}

static int setup(void **state) {
    (void)state;
    size = (size_t)sysconf(_SC_PAGESIZE);
    temp_dir_make(dir);
    snprintf(path, sizeof path, "%s/file", dir);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(page != MAP_FAILED);
    page[7] = 1;
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    mount_is_dead = true;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    elfs_dead_mount_enter(-1);
    munmap((void *)page, size);
    temp_dir_remove(dir);
    return 0;
}

static void an_empty_page_takes_its_place(void **state) {
    (void)state;
    elfs_dead_mount_install(
        is_dead); /* not in setup: cmocka has a handler of its own for each test */
    int folder = elfs_dead_mount_folder(path);
    assert_true(folder >= 0);
    assert_int_equal(elfs_dead_mount_enter(folder), -1);
    assert_int_equal(page[7], 0);
    page[8] = 2;
    assert_int_equal(page[8], 2);
    assert_int_equal(elfs_dead_mount_enter(-1), folder);
    close(folder);
}

/* The signal that ends a process that touches the page. */
static int ended_by(int folder) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        elfs_dead_mount_enter(folder);
        _exit(page[7]);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_living_mount_is_another_matter(void **state) {
    (void)state;
    elfs_dead_mount_install(is_dead);
    mount_is_dead = false;
    assert_int_equal(ended_by(0), SIGBUS);
}

static void so_is_a_thread_that_works_elsewhere(void **state) {
    (void)state;
    elfs_dead_mount_install(is_dead);
    assert_int_equal(ended_by(-1), SIGBUS);
    assert_int_equal(ended_by(0), 0);
}

/* An ordinary folder answers: it is not dead. */
static void the_mount_is_asked(void **state) {
    (void)state;
    elfs_dead_mount_install(NULL);
    int folder = elfs_dead_mount_folder(path);
    assert_int_equal(ended_by(folder), SIGBUS);
    assert_false(elfs_dead_mount_is(folder));
    close(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_page_takes_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_living_mount_is_another_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(so_is_a_thread_that_works_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(the_mount_is_asked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
