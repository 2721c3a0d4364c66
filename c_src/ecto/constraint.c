/* constraint - see constraint.h. */
#include "ecto/constraint.h"

#include "ecto/make.h"
#include "ecto/peek.h"

/* The rest of the message after a beginning; empty if it begins otherwise. */
static struct elfs_view after(struct elfs_view message, const char *beginning) {
    size_t n = strlen(beginning);
    if (message.len <= n || memcmp(message.data, beginning, n) != 0) return ELFS_VIEW_NONE;
    return (struct elfs_view){message.data + n, message.len - n};
}

static struct elfs_view trim_quotes(struct elfs_view name) {
    while (name.len > 0 && name.data[0] == '\'')
        name = (struct elfs_view){name.data + 1, name.len - 1};
    while (name.len > 0 && name.data[name.len - 1] == '\'') name.len--;
    return name;
}

/* The next of "a.b, a.c"; columns is what is left. */
static struct elfs_view next_column(struct elfs_view *columns) {
    struct elfs_view column = *columns;
    for (size_t i = 0; i + 1 < columns->len; i++) {
        if (columns->data[i] != ',' || columns->data[i + 1] != ' ') continue;
        column.len = i;
        *columns = (struct elfs_view){columns->data + i + 2, columns->len - i - 2};
        return column;
    }
    *columns = ELFS_VIEW_NONE;
    return column;
}

/* users.a, users.b: users_a_b_index */
static struct elfs_view index_name(struct elfs_view columns, struct elfs_arena *arena) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    for (bool first = true; columns.len > 0; first = false) {
        struct elfs_view column = next_column(&columns);
        if (!first) {
            for (size_t i = column.len; i > 0; i--) {
                if (column.data[i - 1] != '.') continue;
                column = (struct elfs_view){column.data + i, column.len - i};
                break;
            }
        }
        for (size_t i = 0; i < column.len; i++)
            elfs_buf_put_u8(&buf, column.data[i] == '.' ? '_' : column.data[i]);
        elfs_buf_put_u8(&buf, '_');
    }
    elfs_buf_append(&buf, "index", 5);
    return elfs_ecto_take(&buf, arena);
}

enum elfs_code elfs_ecto_constraint_read(const char *message, struct elfs_arena *arena,
                                         struct elfs_ecto_constraint *constraint) {
    struct elfs_view text = elfs_view_str(message);
    struct elfs_view index = after(text, "UNIQUE constraint failed: index ");
    struct elfs_view columns = after(text, "UNIQUE constraint failed: ");
    struct elfs_view check = after(text, "CHECK constraint failed: ");
    *constraint = (struct elfs_ecto_constraint){0};
    if (index.len > 0) {
        *constraint = (struct elfs_ecto_constraint){"unique", trim_quotes(index)};
    } else if (columns.len > 0) {
        *constraint = (struct elfs_ecto_constraint){"unique", index_name(columns, arena)};
        if (constraint->name.len == 0) return ELFS_NOMEM;
    } else if (elfs_view_is(text, "FOREIGN KEY constraint failed")) {
        constraint->type = "foreign_key";
    } else if (check.len > 0) {
        *constraint = (struct elfs_ecto_constraint){"check", check};
    }
    return constraint->type ? ELFS_OK : ELFS_BADARG;
}

static bool matches(const struct elfs_ecto_constraint *constraint, struct elfs_view declared) {
    struct elfs_view text = elfs_ecto_binary(elfs_ecto_key(declared, "constraint"));
    struct elfs_view how = elfs_ecto_key(declared, "match");
    struct elfs_view name = constraint->name;
    if (name.len == 0 || text.len > name.len) return false;
    if (elfs_ecto_is_atom(how, "exact")) return elfs_view_equal(text, name);
    if (text.len == 0) return true;
    if (elfs_ecto_is_atom(how, "prefix")) return memcmp(name.data, text.data, text.len) == 0;
    if (elfs_ecto_is_atom(how, "suffix"))
        return memcmp(name.data + name.len - text.len, text.data, text.len) == 0;
    return false;
}

enum elfs_code elfs_ecto_constraint_find(const struct elfs_ecto_constraint *constraint,
                                         struct elfs_view constraints, struct elfs_view *found) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    *found = ELFS_VIEW_NONE;
    if (!elfs_ecto_list_begin(constraints, &list)) return ELFS_OK;
    while (elfs_ecto_list_next(&list, &item)) {
        if (!elfs_ecto_is_atom(elfs_ecto_key(item, "type"), constraint->type)) continue;
        if (constraint->name.len > 0 &&
            elfs_view_is(elfs_ecto_struct(elfs_ecto_key(item, "constraint")), "Elixir.Regex"))
            return ELFS_UNSUPPORTED;
        if (!matches(constraint, item)) continue;
        *found = item;
        return ELFS_OK;
    }
    return ELFS_OK;
}
