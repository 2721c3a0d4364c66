/* log - one line an event on stderr: ts=... level=... event=... key=value ...
 *
 * A line is built in memory and written with one write(2), so that lines of several threads do not
 * mix. Values that hold spaces, quotes or control bytes are quoted and escaped: a peer's bytes
 * cannot forge a line. No secrets are ever passed here. Thread-safe.
 */
#ifndef ELFS_BASE_LOG_H
#define ELFS_BASE_LOG_H

#include <stdbool.h>

enum elfs_log_level { ELFS_LOG_ERROR, ELFS_LOG_WARNING, ELFS_LOG_INFO, ELFS_LOG_DEBUG };

/* "error", "warning", "info", "debug"; false when text is none of them. */
bool elfs_log_level_parse(const char *text, enum elfs_log_level *level);

/* Events above this level are dropped; ELFS_LOG_INFO at start. Set before threads start. */
void elfs_log_set_level(enum elfs_log_level level);
bool elfs_log_enabled(enum elfs_log_level level);

/* Logs an event. The format describes the pairs: a string of keys, each followed by a conversion
 * that says the argument's type: 's' const char *, 'd' int, 'l' long long, 'v' struct elfs_view.
 *   elfs_log(ELFS_LOG_INFO, "connected", "node=s peers=d", name, count);
 */
void elfs_log(enum elfs_log_level level, const char *event, const char *pairs, ...);

#endif
