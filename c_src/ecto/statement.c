/* statement - see statement.h. */
#include "ecto/statement.h"

#include <stdarg.h>
#include <stdio.h>

#include "ecto/exception.h"
#include "ecto/make.h"
#include "ecto/peek.h"

enum elfs_code elfs_ecto_argument_error(struct elfs_ecto_context *c, const char *format, ...) {
    struct elfs_buf message;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    elfs_buf_init(&message, sizeof text);
    elfs_buf_append(&message, text, strlen(text));
    struct elfs_view term = elfs_ecto_exception("Elixir.ArgumentError", &message, c->arena);
    enum elfs_code code = elfs_ecto_settle(c, term, true);
    return code == ELFS_OK ? ELFS_BADARG : code;
}

void elfs_ecto_put_name(struct elfs_buf *buf, struct elfs_view name) {
    if (name.len > 0 && (memchr(name.data, '"', name.len) || memchr(name.data, '\0', name.len)) &&
        buf->status == ELFS_OK)
        buf->status = ELFS_BADARG;
    elfs_ecto_puts(buf, "\"");
    elfs_buf_append_view(buf, name);
    elfs_ecto_puts(buf, "\"");
}

static void put_returning(struct elfs_buf *buf, const struct elfs_ecto_write *w) {
    for (size_t i = 0; i < w->returning_count; i++) {
        elfs_ecto_puts(buf, i == 0 ? " RETURNING " : ",");
        elfs_ecto_put_name(buf, w->returning[i].source);
    }
}

static enum elfs_code finish(struct elfs_ecto_context *c, struct elfs_buf *buf, enum elfs_code code,
                             struct elfs_view *sql) {
    if (code == ELFS_OK && buf->status == ELFS_BADARG)
        code = elfs_fail(c->err, ELFS_UNSUPPORTED, "a name with a quote or a zero byte in it");
    *sql = elfs_ecto_take(buf, c->arena);
    if (code == ELFS_OK && sql->len == 0) code = elfs_ecto_no_memory(c->err);
    c->write->sql = *sql;
    return code;
}

/* ?1, ?2 and so on. */
static void put_place(struct elfs_buf *buf, size_t number) {
    char text[24];
    size_t at = sizeof text;
    for (size_t rest = number; rest > 0; rest /= 10) text[--at] = (char)('0' + rest % 10);
    text[--at] = '?';
    elfs_buf_append(buf, text + at, sizeof text - at);
}

/* (?1,?2),(?3,?4) */
static void put_places(struct elfs_buf *buf, size_t columns, size_t rows) {
    for (size_t i = 0; i < rows * columns; i++) {
        if (i > 0) elfs_ecto_puts(buf, i % columns == 0 ? "),(" : ",");
        put_place(buf, i + 1);
    }
}

/* A letter of its own, as Ecto aliases tables: u0. */
static void put_alias(struct elfs_buf *buf, struct elfs_view table) {
    uint8_t c = table.len ? table.data[0] : 't';
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    elfs_ecto_printf(buf, " AS %c0", letter ? c : 't');
}

/* DEFAULT VALUES takes no ON CONFLICT, but Ecto raises for its options all the same. */
static enum elfs_code check_conflict(struct elfs_ecto_context *c, struct elfs_buf *buf) {
    size_t mark = buf->len;
    enum elfs_code code = elfs_ecto_put_conflict(c, buf);
    elfs_buf_truncate(buf, mark);
    c->count = 0;
    return code;
}

enum elfs_code elfs_ecto_insert_sql(struct elfs_ecto_context *c, struct elfs_view table,
                                    size_t rows, struct elfs_view *sql) {
    struct elfs_buf buf;
    size_t columns = c->count / rows;
    enum elfs_code code = ELFS_OK;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_ecto_puts(&buf, "INSERT INTO ");
    elfs_ecto_put_name(&buf, table);
    if (c->options.on_conflict == ELFS_ECTO_CONFLICT_UPDATE) put_alias(&buf, table);
    for (size_t i = 0; i < columns; i++) {
        elfs_ecto_puts(&buf, i == 0 ? " (" : ",");
        elfs_ecto_put_name(&buf, c->fields[i].source);
    }
    if (columns > 0) {
        elfs_ecto_puts(&buf, ") VALUES (");
        put_places(&buf, columns, rows);
        elfs_ecto_puts(&buf, ")");
        code = elfs_ecto_put_conflict(c, &buf);
    } else {
        code = check_conflict(c, &buf);
        elfs_ecto_puts(&buf, " DEFAULT VALUES");
    }
    put_returning(&buf, c->write);
    return finish(c, &buf, code, sql);
}

static void put_filters(struct elfs_ecto_context *c, struct elfs_buf *buf) {
    const struct elfs_ecto_map *filters = &c->write->filters;
    for (size_t i = 0; i < filters->count; i++) {
        struct elfs_ecto_field field;
        struct elfs_view name = filters->pairs[i].name;
        elfs_ecto_puts(buf, i == 0 ? " WHERE " : " AND ");
        elfs_ecto_put_name(buf,
                           elfs_ecto_field_find(c, name, &field) == ELFS_OK ? field.source : name);
        elfs_ecto_puts(buf, elfs_ecto_is_nil(filters->pairs[i].value) ? " IS NULL" : " = ?");
    }
}

enum elfs_code elfs_ecto_update_sql(struct elfs_ecto_context *c, struct elfs_view table, size_t set,
                                    struct elfs_view *sql) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_ecto_puts(&buf, "UPDATE ");
    elfs_ecto_put_name(&buf, table);
    for (size_t i = 0; i < set; i++) {
        elfs_ecto_puts(&buf, i == 0 ? " SET " : ", ");
        elfs_ecto_put_name(&buf, c->fields[i].source);
        elfs_ecto_puts(&buf, " = ?");
    }
    put_filters(c, &buf);
    put_returning(&buf, c->write);
    return finish(c, &buf, ELFS_OK, sql);
}

enum elfs_code elfs_ecto_delete_sql(struct elfs_ecto_context *c, struct elfs_view table,
                                    struct elfs_view *sql) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_ecto_puts(&buf, "DELETE FROM ");
    elfs_ecto_put_name(&buf, table);
    put_filters(c, &buf);
    put_returning(&buf, c->write);
    return finish(c, &buf, ELFS_OK, sql);
}
