/* net - small socket helpers. */
#ifndef ELFS_EI_NET_H
#define ELFS_EI_NET_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

void elfs_net_set_nonblocking(int fd);
void elfs_net_set_cloexec(int fd);
void elfs_net_set_nodelay(int fd);

/* "ADDR", "ADDR:PORT" or ":PORT" with an IPv4 address in dots; port 0 when it is not given. */
enum elfs_code elfs_net_parse_listen(const char *text, struct in_addr *addr, uint16_t *port,
                                     struct elfs_error *err);

/* "10.0.0.1:4369" into text. */
void elfs_net_format(const struct sockaddr_in *addr, char *text, size_t size);

#endif
