/* bind - see bind.h. */
#include "store/bind.h"

#include "base/alloc.h"
#include "store/sqlite_error.h"

/* SQLite takes a NULL pointer for a NULL value, whatever the length. */
static const void *bytes_of(const struct elfs_value *value) {
    return value->bytes.len ? (const void *)value->bytes.data : "";
}

static enum elfs_code bind_value(sqlite3_stmt *handle, int index, const struct elfs_value *value,
                                 struct elfs_error *err) {
    int rc = SQLITE_OK;
    switch (value->type) {
    case ELFS_NULL: rc = sqlite3_bind_null(handle, index); break;
    case ELFS_INTEGER: rc = sqlite3_bind_int64(handle, index, value->integer); break;
    case ELFS_REAL: rc = sqlite3_bind_double(handle, index, value->real); break;
    case ELFS_TEXT:
        rc = sqlite3_bind_text64(handle, index, bytes_of(value), value->bytes.len, SQLITE_STATIC,
                                 SQLITE_UTF8);
        break;
    case ELFS_BLOB:
        rc = sqlite3_bind_blob64(handle, index, bytes_of(value), value->bytes.len, SQLITE_STATIC);
        break;
    }
    return rc == SQLITE_OK ? ELFS_OK : elfs_sqlite_fail(err, sqlite3_db_handle(handle));
}

static enum elfs_code bind_positional(sqlite3_stmt *handle, const struct elfs_params *params,
                                      struct elfs_error *err) {
    size_t wanted = (size_t)sqlite3_bind_parameter_count(handle);
    if (params->count != wanted) {
        return elfs_fail(err, ELFS_INVALID_PARAMETER,
                         "the statement has %zu parameter%s, %zu given", wanted,
                         wanted == 1 ? "" : "s", params->count);
    }
    for (size_t i = 0; i < wanted; i++) {
        enum elfs_code code = bind_value(handle, (int)i + 1, &params->items[i].value, err);
        if (code != ELFS_OK) return code;
    }
    return ELFS_OK;
}

/* The item of that name. Names mostly come in the statement's order, so the search begins at
 * `hint`. NULL if there is none. */
static const struct elfs_param *find(const struct elfs_params *params, size_t hint,
                                     struct elfs_view name) {
    for (size_t i = 0; i < params->count; i++) {
        const struct elfs_param *item = &params->items[(hint + i) % params->count];
        if (elfs_view_equal(item->name, name)) return item;
    }
    return NULL;
}

/* used: one flag an item, zeroed. :a, @a and $a are three parameters of one name. */
static enum elfs_code bind_each_name(sqlite3_stmt *handle, const struct elfs_params *params,
                                     bool *used, struct elfs_error *err) {
    int wanted = sqlite3_bind_parameter_count(handle);
    size_t hint = 0;
    for (int index = 1; index <= wanted; index++) {
        const char *name = sqlite3_bind_parameter_name(handle, index);
        if (!name || name[0] == '?') {
            return elfs_fail(err, ELFS_INVALID_PARAMETER,
                             "parameter %d of the statement has no name: give a list", index);
        }
        const struct elfs_param *item = find(params, hint, elfs_view_str(name + 1));
        if (!item) {
            return elfs_fail(err, ELFS_INVALID_PARAMETER, "parameter %s is not given", name);
        }
        enum elfs_code code = bind_value(handle, index, &item->value, err);
        if (code != ELFS_OK) return code;
        used[item - params->items] = true;
        hint = (size_t)(item - params->items) + 1;
    }
    for (size_t i = 0; i < params->count; i++) {
        if (used[i]) continue;
        return elfs_fail(err, ELFS_INVALID_PARAMETER, "the statement has no parameter named %.*s",
                         ELFS_VIEW_ARGS(params->items[i].name));
    }
    return ELFS_OK;
}

static enum elfs_code bind_named(sqlite3_stmt *handle, const struct elfs_params *params,
                                 struct elfs_error *err) {
    bool *used = elfs_calloc(params->count, sizeof *used);
    if (!used) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    enum elfs_code code = bind_each_name(handle, params, used, err);
    elfs_free(used);
    return code;
}

enum elfs_code elfs_bind(sqlite3_stmt *handle, const struct elfs_params *params,
                         struct elfs_error *err) {
    return params->named ? bind_named(handle, params, err) : bind_positional(handle, params, err);
}
