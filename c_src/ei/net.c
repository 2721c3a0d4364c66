/* net - see net.h. */
#include "ei/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void elfs_net_set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

void elfs_net_set_cloexec(int fd) { fcntl(fd, F_SETFD, FD_CLOEXEC); }

void elfs_net_set_nodelay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

enum elfs_code elfs_net_parse_listen(const char *text, struct in_addr *addr, uint16_t *port,
                                     struct elfs_error *err) {
    char host[INET_ADDRSTRLEN + 1] = "0.0.0.0";
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    *port = 0;
    if (len >= sizeof host) goto bad;
    if (len > 0) {
        memcpy(host, text, len);
        host[len] = '\0';
    }
    if (inet_pton(AF_INET, host, addr) != 1) goto bad;
    if (colon) {
        char *end;
        long value = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != '\0' || value < 0 || value > UINT16_MAX) goto bad;
        *port = (uint16_t)value;
    }
    return ELFS_OK;
bad:
    return elfs_fail(err, ELFS_BADARG,
                     "'%s' is not ADDR[:PORT] with an IPv4 address, such as 10.0.0.1:9100", text);
}

void elfs_net_format(const struct sockaddr_in *addr, char *text, size_t size) {
    char host[INET_ADDRSTRLEN] = "?";
    inet_ntop(AF_INET, &addr->sin_addr, host, sizeof host);
    snprintf(text, size, "%s:%u", host, ntohs(addr->sin_port));
}
