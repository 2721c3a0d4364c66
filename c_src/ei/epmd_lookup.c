/* epmd_lookup - see epmd_lookup.h. */
#include "ei/epmd_lookup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/view.h"
#include "ei/net.h"

#define DEFAULT_PORT 4369

/* EPMD protocol tags. */
#define PORT_PLEASE2_REQ 122
#define PORT2_RESP 119

uint16_t elfs_epmd_port(void) {
    const char *text = getenv("ERL_EPMD_PORT");
    long port = text ? strtol(text, NULL, 10) : 0;
    return port > 0 && port <= UINT16_MAX ? (uint16_t)port : DEFAULT_PORT;
}

int elfs_epmd_connect(struct in_addr addr, int timeout_ms) {
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr = addr, .sin_port = htons(elfs_epmd_port())};
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    elfs_net_set_cloexec(fd);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

enum elfs_epmd_lookup elfs_epmd_lookup(struct in_addr addr, const char *alive, int timeout_ms,
                                       uint16_t *port) {
    /* [length:2][122][name] is answered by [119][result:1] and, when the result is 0, [port:2]...
     */
    uint8_t request[3 + 255];
    uint8_t reply[4];
    size_t got = 0;
    struct elfs_view name = elfs_view_str(alive);
    enum elfs_epmd_lookup answer = ELFS_EPMD_NO_ANSWER;
    if (name.len > 255) return ELFS_EPMD_NOT_FOUND;
    int fd = elfs_epmd_connect(addr, timeout_ms);
    if (fd < 0) return answer;
    request[0] = (uint8_t)((name.len + 1) >> 8);
    request[1] = (uint8_t)(name.len + 1);
    request[2] = PORT_PLEASE2_REQ;
    memcpy(request + 3, name.data, name.len);
    if (send(fd, request, name.len + 3, MSG_NOSIGNAL) != (ssize_t)(name.len + 3)) goto done;
    while (got < sizeof reply) {
        ssize_t n = read(fd, reply + got, sizeof reply - got);
        if (n <= 0) break;
        got += (size_t)n;
    }
    if (got >= 2 && reply[0] == PORT2_RESP && reply[1] != 0) answer = ELFS_EPMD_NOT_FOUND;
    if (got == sizeof reply && reply[0] == PORT2_RESP && reply[1] == 0) {
        *port = (uint16_t)(reply[2] << 8 | reply[3]);
        answer = ELFS_EPMD_FOUND;
    }
done:
    close(fd);
    return answer;
}
