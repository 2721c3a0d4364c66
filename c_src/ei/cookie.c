/* cookie - see cookie.h. */
#include "ei/cookie.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum elfs_code check_file(int fd, const char *path, struct elfs_error *err) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return elfs_fail(err, ELFS_SYSTEM, "cookie file %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return elfs_fail(err, ELFS_BADARG, "cookie file %s is not a regular file", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return elfs_fail(err, ELFS_BADARG,
                         "cookie file %s must be accessible by its owner only: chmod 400 %s", path,
                         path);
    return ELFS_OK;
}

enum elfs_code elfs_cookie_read(const char *path, char cookie[ELFS_COOKIE_MAX],
                                struct elfs_error *err) {
    char home_path[PATH_MAX];
    if (!path) {
        const char *home = getenv("HOME");
        if (!home) return elfs_fail(err, ELFS_BADARG, "HOME is not set: say --cookie-file FILE");
        snprintf(home_path, sizeof home_path, "%s/.erlang.cookie", home);
        path = home_path;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return elfs_fail(err, ELFS_SYSTEM, "cookie file %s: %s", path, strerror(errno));
    enum elfs_code code = check_file(fd, path, err);
    if (code != ELFS_OK) goto done;
    ssize_t n = read(fd, cookie, ELFS_COOKIE_MAX);
    if (n < 0) {
        code = elfs_fail(err, ELFS_SYSTEM, "cookie file %s: %s", path, strerror(errno));
        goto done;
    }
    size_t len = 0;
    while (len < (size_t)n && cookie[len] != '\n' && cookie[len] != '\r') len++;
    if (len == 0) {
        code = elfs_fail(err, ELFS_BADARG, "cookie file %s is empty", path);
    } else if (len == ELFS_COOKIE_MAX) {
        code = elfs_fail(err, ELFS_LIMIT, "the cookie in %s is longer than %d bytes", path,
                         ELFS_COOKIE_MAX - 1);
    } else {
        cookie[len] = '\0';
    }
done:
    close(fd);
    return code;
}
