/* log - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/view.h"

#define LINE_MAX_BYTES 1024

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static enum elfs_log_level threshold = ELFS_LOG_INFO;

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

bool elfs_log_level_parse(const char *text, enum elfs_log_level *level) {
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum elfs_log_level)i;
            return true;
        }
    }
    return false;
}

void elfs_log_set_level(enum elfs_log_level level) { threshold = level; }

bool elfs_log_enabled(enum elfs_log_level level) { return level <= threshold; }

/* One byte is kept for the newline. */
static void put(struct line *line, const char *bytes, size_t n) {
    size_t room = sizeof line->text - 1 - line->len;
    if (n > room) n = room;
    memcpy(line->text + line->len, bytes, n);
    line->len += n;
}

static void put_str(struct line *line, const char *text) { put(line, text, strlen(text)); }

static void put_value(struct line *line, struct elfs_view value) {
    bool plain = value.len > 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F) plain = false;
    }
    if (plain) {
        put(line, (const char *)value.data, value.len);
        return;
    }
    put_str(line, "\"");
    for (size_t i = 0; i < value.len; i++) {
        char escaped[8];
        uint8_t c = value.data[i];
        if (c < ' ' || c == 0x7F) {
            snprintf(escaped, sizeof escaped, "\\x%02x", c);
        } else {
            snprintf(escaped, sizeof escaped, c == '"' || c == '\\' ? "\\%c" : "%c", c);
        }
        put_str(line, escaped);
    }
    put_str(line, "\"");
}

static void put_time(struct line *line) {
    struct timespec now;
    struct tm utc;
    char text[40];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, sizeof text - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
    put_str(line, text);
}

void elfs_log(enum elfs_log_level level, const char *event, const char *pairs, ...) {
    if (!elfs_log_enabled(level)) return;
    struct line line = {.len = 0};
    put_str(&line, "ts=");
    put_time(&line);
    put_str(&line, " level=");
    put_str(&line, level_names[level]);
    put_str(&line, " event=");
    put_str(&line, event);
    va_list args;
    va_start(args, pairs);
    while (*pairs) {
        size_t key = strcspn(pairs, "=");
        put_str(&line, " ");
        put(&line, pairs, key + 1);
        pairs += key + 1;
        char number[32] = "";
        switch (*pairs++) {
        case 's': {
            const char *text = va_arg(args, const char *);
            put_value(&line, elfs_view_str(text ? text : ""));
            break;
        }
        case 'v': put_value(&line, va_arg(args, struct elfs_view)); break;
        case 'd': snprintf(number, sizeof number, "%d", va_arg(args, int)); break;
        case 'l': snprintf(number, sizeof number, "%lld", va_arg(args, long long)); break;
        default: break;
        }
        put_str(&line, number);
        while (*pairs == ' ') pairs++;
    }
    va_end(args);
    line.text[line.len++] = '\n';
    for (size_t done = 0; done < line.len;) {
        ssize_t n = write(STDERR_FILENO, line.text + done, line.len - done);
        if (n <= 0) return;
        done += (size_t)n;
    }
}
