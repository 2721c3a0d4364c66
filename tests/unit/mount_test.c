/* One look at the mount: every kind of mount and file. Where a real FUSE mount would be needed, a
 * stand-in answers for statfs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/mount.h"
#include "fake_litefs.h"

static char dir[64];
static struct elfs_reading reading;

static int setup(void **state) {
    (void)state;
    fake_mount_make(dir);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fake_mount_remove(dir);
    return 0;
}

static int stand_in_fuse(int dir_fd, bool *is_fuse) {
    (void)dir_fd;
    *is_fuse = true;
    return 0;
}

/* What a mount gives whose LiteFS was killed. */
static int stand_in_dead(int dir_fd, bool *is_fuse) {
    (void)dir_fd;
    *is_fuse = false;
    return ENOTCONN;
}

static void look(elfs_is_fuse_fn *is_fuse) {
    struct elfs_mount_place place = {dir, ".primary", is_fuse};
    memset(&reading, 0xAA, sizeof reading);
    elfs_mount_read(&place, &reading);
}

static void expect(enum elfs_mount mount, enum elfs_primary_file file) {
    assert_string_equal(elfs_mount_name(reading.mount), elfs_mount_name(mount));
    assert_int_equal(reading.primary_file, file);
}

static void absent(void **state) {
    (void)state;
    struct elfs_mount_place place = {"/no/such/folder", ".primary", elfs_mount_is_fuse};
    elfs_mount_read(&place, &reading);
    assert_int_equal(reading.mount, ELFS_MOUNT_ABSENT);
    fake_mount_put(dir, "file", "x");
    char file[80];
    snprintf(file, sizeof file, "%s/file", dir);
    place.dir = file; /* no folder either */
    elfs_mount_read(&place, &reading);
    assert_int_equal(reading.mount, ELFS_MOUNT_ABSENT);
}

static void plain(void **state) {
    (void)state;
    look(elfs_mount_is_fuse);
    expect(ELFS_MOUNT_PLAIN, ELFS_PRIMARY_FILE_UNREADABLE);
    fake_mount_put(dir, ".primary", "left-over\n"); /* nobody's word */
    fake_mount_put(dir, "a.db-pos", "0000000000000003/a7dd8f28ea1b904d\n");
    look(elfs_mount_is_fuse);
    expect(ELFS_MOUNT_PLAIN, ELFS_PRIMARY_FILE_UNREADABLE);
    assert_string_equal(reading.hostname, "");
    assert_int_equal(reading.positions.count, 0);
}

static void dead(void **state) {
    (void)state;
    fake_mount_put(dir, ".lag", "+000000000\n");
    look(stand_in_dead);
    expect(ELFS_MOUNT_DEAD, ELFS_PRIMARY_FILE_UNREADABLE);
}

static void live_by_its_type(void **state) {
    (void)state;
    look(stand_in_fuse);
    expect(ELFS_MOUNT_LIVE, ELFS_PRIMARY_FILE_ABSENT);
    assert_false(reading.lag_known);
}

static void live_by_its_lag(void **state) {
    (void)state;
    fake_mount_put(dir, ".lag", "+000000315\n");
    fake_mount_put(dir, ".primary", "n1\n");
    look(elfs_mount_is_fuse);
    expect(ELFS_MOUNT_LIVE, ELFS_PRIMARY_FILE_PRESENT);
    assert_true(reading.lag_known);
    assert_int_equal(reading.lag_ms, 315);
    assert_string_equal(reading.hostname, "n1");
    struct stat attributes;
    assert_int_equal(stat(dir, &attributes), 0);
    assert_int_equal(reading.device, attributes.st_dev);
    fake_mount_put(dir, ".lag", "nonsense");
    look(elfs_mount_is_fuse);
    expect(ELFS_MOUNT_LIVE, ELFS_PRIMARY_FILE_PRESENT);
    assert_false(reading.lag_known);
}

static void a_primary_file_that_names_nobody(void **state) {
    (void)state;
    fake_mount_put(dir, ".lag", "+000000315\n");
    char huge[5000];
    memset(huge, 'x', sizeof huge - 2);
    strcpy(huge + sizeof huge - 2, "\n");
    const char *const texts[] = {"", "n1", "\n", "a\nb\n", huge};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fake_mount_put(dir, ".primary", texts[i]);
        look(elfs_mount_is_fuse);
        expect(ELFS_MOUNT_LIVE, ELFS_PRIMARY_FILE_PRESENT);
        assert_string_equal(reading.hostname, "");
    }
}

static void a_primary_file_that_cannot_be_read(void **state) {
    (void)state;
    char path[80];
    fake_mount_put(dir, ".lag", "+000000000\n");
    snprintf(path, sizeof path, "%s/.primary", dir);
    assert_int_equal(mkdir(path, 0700), 0); /* reading it gives EISDIR */
    look(elfs_mount_is_fuse);
    expect(ELFS_MOUNT_LIVE, ELFS_PRIMARY_FILE_UNREADABLE);
    rmdir(path);
    assert_int_equal(symlink(".primary", path), 0); /* ELOOP */
    look(elfs_mount_is_fuse);
    expect(ELFS_MOUNT_LIVE, ELFS_PRIMARY_FILE_UNREADABLE);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* does not block */
    look(elfs_mount_is_fuse);
    expect(ELFS_MOUNT_LIVE, ELFS_PRIMARY_FILE_PRESENT);
    assert_string_equal(reading.hostname, "");
}

static void positions(void **state) {
    (void)state;
    fake_mount_put(dir, ".lag", "+000000000\n");
    fake_mount_put(dir, "a.db", "");
    fake_mount_put(dir, "a.db-pos", "0000000000000003/a7dd8f28ea1b904d\n");
    fake_mount_put(dir, "my app.db-pos", "00000000000000ff/ffffffffffffffff\n");
    fake_mount_put(dir, "half.db-pos", "0000000000000003/a7dd");
    fake_mount_put(dir, "-pos", "0000000000000003/a7dd8f28ea1b904d\n");
    look(elfs_mount_is_fuse);
    assert_int_equal(reading.positions.count, 2);
    struct elfs_db_position *a = elfs_positions_find(&reading.positions, "a.db");
    struct elfs_db_position *b = elfs_positions_find(&reading.positions, "my app.db");
    assert_non_null(a);
    assert_true(a->txid == 3 && a->checksum == 0xa7dd8f28ea1b904d && a->event_txid == 0);
    assert_non_null(b);
    assert_true(b->txid == 255 && b->checksum == UINT64_MAX);
    char name[32];
    for (int i = 0; i < ELFS_POSITIONS_MAX + 10; i++) {
        snprintf(name, sizeof name, "%d.db-pos", i);
        fake_mount_put(dir, name, "0000000000000001/a7dd8f28ea1b904d\n");
    }
    look(elfs_mount_is_fuse);
    assert_int_equal(reading.positions.count, ELFS_POSITIONS_MAX);
}

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void nothing_stays_open(void **state) {
    (void)state;
    int before = open_descriptors();
    look(elfs_mount_is_fuse);
    look(stand_in_dead);
    positions(state);
    a_primary_file_that_names_nobody(state);
    assert_int_equal(open_descriptors(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(absent, setup, teardown),
        cmocka_unit_test_setup_teardown(plain, setup, teardown),
        cmocka_unit_test_setup_teardown(dead, setup, teardown),
        cmocka_unit_test_setup_teardown(live_by_its_type, setup, teardown),
        cmocka_unit_test_setup_teardown(live_by_its_lag, setup, teardown),
        cmocka_unit_test_setup_teardown(a_primary_file_that_names_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_primary_file_that_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(positions, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_stays_open, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
