/* fake_litefs - a stand-in for LiteFS in tests: an HTTP server and a folder that looks like a
 * mount.
 *
 * The server is a real one on 127.0.0.1 that says what the test tells it to, byte for byte. The
 * folder is a plain one; with a .lag in it, it counts as mounted.
 */
#ifndef ELFS_TESTS_FAKE_LITEFS_H
#define ELFS_TESTS_FAKE_LITEFS_H

#include <stdbool.h>
#include <stddef.h>

/* What fake_litefs_start begins with: a 200, chunked, and no event; 404 for /info. */
#define FAKE_EVENTS_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define FAKE_INIT_PRIMARY "{\"type\":\"init\",\"data\":{\"isPrimary\":true}}\n"
#define FAKE_INIT_REPLICA "{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":\"n1\"}}\n"
#define FAKE_TX(db, txid)                                                                          \
    "{\"type\":\"tx\",\"db\":\"" db "\",\"data\":{\"txID\":\"" txid "\",\"postApplyChecksum\":"    \
    "\"a2fc350ac2962d33\",\"pageSize\":4096,\"commit\":2,"                                         \
    "\"timestamp\":\"2026-11-24T20:46:38.141Z\"}}\n"

struct fake_litefs;

struct fake_litefs *fake_litefs_start(void);
void fake_litefs_stop(struct fake_litefs *fake);

/* "http://127.0.0.1:PORT/events"; and the port, for other URLs. */
const char *fake_litefs_url(const struct fake_litefs *fake);

/* What is sent at once to each new GET /events: raw bytes, the status line first. NULL: nothing. */
void fake_litefs_greet(struct fake_litefs *fake, const char *raw);

/* The whole answer of GET /info, raw; NULL: none, the connection stays open. */
void fake_litefs_answer_info(struct fake_litefs *fake, const char *raw);

/* The answer of GET /elsewhere, raw: where a redirect may point to. */
void fake_litefs_answer_elsewhere(struct fake_litefs *fake, const char *raw);

/* What /info says, as LiteFS words it. hostname is "" where none is known. */
void fake_litefs_info(struct fake_litefs *fake, bool is_primary, const char *hostname);

/* Waits (10 s at most; fails the test) until so many GET /events, GET /info were seen in all. */
void fake_litefs_await_streams(struct fake_litefs *fake, int count);
void fake_litefs_await_infos(struct fake_litefs *fake, int count);
int fake_litefs_streams(struct fake_litefs *fake);

/* Sends to the newest stream: one chunk, or raw bytes. False if it is closed. */
bool fake_litefs_say(struct fake_litefs *fake, const char *events);
bool fake_litefs_send(struct fake_litefs *fake, const void *raw, size_t len);

/* Closes all connections that are open. */
void fake_litefs_cut(struct fake_litefs *fake);

/* A folder for a mount, and its files. text NULL removes the file. */
void fake_mount_make(char path[64]);
void fake_mount_put(const char *path, const char *name, const char *text);
void fake_mount_remove(const char *path);

#endif
