/* tables - see tables.h. */
#include "node/tables.h"

#include <string.h>

#include "base/alloc.h"
#include "node/node.h"
#include "node/repo_request.h"

/* Generated and hidden columns are left out: nobody may write them. */
static const char query[] =
    "SELECT v.schema_version, x.name, x.type, x.\"notnull\", x.dflt_value IS NOT NULL, x.pk, "
    "(SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main') "
    "FROM pragma_schema_version AS v LEFT JOIN pragma_table_xinfo(?1) AS x ON x.hidden = 0";

enum { VERSION, NAME, TYPE, NOT_NULL, HAS_DEFAULT, PK, WITHOUT_ROWID };

/* A job of our own, and the sink that fills the entry. */
struct load {
    struct elfs_job job;
    struct elfs_sink sink;
    struct elfs_database *db;
    struct elfs_table_entry *entry;
    struct elfs_statement statement;
    struct elfs_param param;
    struct elfs_ecto_column *columns;
    size_t count;
    size_t cap;
    size_t at; /* the column of the row under way */
    bool without_rowid;
};

static struct load *load_of(struct elfs_sink *sink) {
    return ELFS_CONTAINER_OF(sink, struct load, sink);
}

static enum elfs_code on_columns(struct elfs_sink *sink, size_t count, const char *const *names) {
    (void)sink, (void)count, (void)names;
    return ELFS_OK;
}

static enum elfs_code on_row(struct elfs_sink *sink, size_t count) {
    struct load *load = load_of(sink);
    (void)count;
    load->at = 0;
    if (load->count == load->cap) {
        size_t cap = load->cap ? load->cap * 2 : 16;
        struct elfs_ecto_column *grown = elfs_realloc(load->columns, cap * sizeof *grown);
        if (!grown) return ELFS_NOMEM;
        load->columns = grown;
        load->cap = cap;
    }
    load->columns[load->count++] = (struct elfs_ecto_column){.pk = 0};
    return ELFS_OK;
}

static enum elfs_code copy_text(struct load *load, const struct elfs_value *value,
                                struct elfs_view *text) {
    if (value->type != ELFS_TEXT) return ELFS_OK;
    text->data = elfs_arena_copy(&load->entry->arena, value->bytes.data, value->bytes.len);
    text->len = value->bytes.len;
    return text->data ? ELFS_OK : ELFS_NOMEM;
}

static enum elfs_code on_value(struct elfs_sink *sink, const struct elfs_value *value) {
    struct load *load = load_of(sink);
    struct elfs_ecto_column *column = &load->columns[load->count - 1];
    int64_t number = value->type == ELFS_INTEGER ? value->integer : 0;
    switch (load->at++) {
    case VERSION: load->entry->schema_version = number; break;
    case NAME: return copy_text(load, value, &column->name);
    case TYPE: return copy_text(load, value, &column->type);
    case NOT_NULL: column->not_null = number != 0; break;
    case HAS_DEFAULT: column->has_default = number != 0; break;
    case PK: column->pk = (int)number; break;
    case WITHOUT_ROWID: load->without_rowid = number != 0; break;
    default: break;
    }
    return ELFS_OK;
}

static enum elfs_code on_done(struct elfs_sink *sink, const struct elfs_summary *summary) {
    (void)sink, (void)summary;
    return ELFS_OK;
}

static void on_reset(struct elfs_sink *sink) { load_of(sink)->count = 0; }

static size_t size_of(const struct elfs_sink *sink) {
    (void)sink;
    return 0;
}

static bool is_integer(struct elfs_view type) {
    return type.len == 7 && strncasecmp((const char *)type.data, "INTEGER", 7) == 0;
}

/* Moves the columns into the entry. A table that is not there is one row without a name. */
static void settle(struct load *load) {
    struct elfs_table_entry *entry = load->entry;
    size_t count = load->count > 0 && load->columns[0].name.len == 0 ? 0 : load->count;
    struct elfs_ecto_column *columns = elfs_arena_array(&entry->arena, count, sizeof *columns);
    size_t keys = 0;
    bool integer_key = false;
    if (!columns) {
        elfs_fail(&entry->error, ELFS_NOMEM, "out of memory");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        columns[i] = load->columns[i];
        if (columns[i].pk == 0) continue;
        keys++;
        integer_key = is_integer(columns[i].type);
    }
    entry->table =
        (struct elfs_ecto_table){columns, count, keys == 1 && integer_key && !load->without_rowid};
}

static void entry_free(struct elfs_table_entry *entry) {
    elfs_list_remove(&entry->link);
    elfs_arena_fini(&entry->arena);
    elfs_free(entry);
}

void elfs_tables_put(struct elfs_table_entry *entry) {
    if (--entry->users == 0 && elfs_list_empty(&entry->link)) entry_free(entry);
}

void elfs_tables_drop(struct elfs_table_entry *entry) {
    if (elfs_list_empty(&entry->link)) return;
    elfs_list_remove(&entry->link);
    if (entry->users == 0) entry_free(entry);
}

static void on_finished(struct elfs_job *job, void *arg) {
    struct load *load = ELFS_CONTAINER_OF(job, struct load, job);
    struct elfs_table_entry *entry = load->entry;
    struct elfs_node *node = arg;
    node->in_flight--;
    entry->loading = false;
    if (job->outcome == ELFS_JOB_DONE) {
        settle(load);
    } else {
        entry->error = job->error;
    }
    elfs_free(load->columns);
    elfs_free(load);
    /* What failed, and a table that is not there, is asked again the next time. */
    if (entry->error.code != ELFS_OK || entry->table.count == 0) elfs_list_remove(&entry->link);
    for (struct elfs_list *l; (l = elfs_list_pop_front(&entry->waiting));)
        elfs_repo_request_continue(l);
    elfs_tables_put(entry);
}

static struct load *load_new(struct elfs_database *db, struct elfs_table_entry *entry) {
    struct load *load = elfs_calloc(1, sizeof *load);
    if (!load) return NULL;
    load->db = db;
    load->entry = entry;
    load->sink = (struct elfs_sink){.columns = on_columns,
                                    .row = on_row,
                                    .value = on_value,
                                    .done = on_done,
                                    .reset = on_reset,
                                    .size = size_of}; /* never saved: it has no key */
    load->param.value = (struct elfs_value){ELFS_TEXT, .bytes = entry->name};
    load->statement.sql = elfs_view_str(query);
    load->statement.params = (struct elfs_params){&load->param, 1, false};
    load->job.kind = ELFS_JOB_QUERY;
    load->job.statements = &load->statement;
    load->job.count = 1;
    load->job.timeout_ms = db->node->options->statement_timeout_ms;
    load->job.sink = &load->sink;
    load->job.finished = on_finished;
    return load;
}

/* Makes room by forgetting all that nobody uses: they are soon read again. */
static void make_room(struct elfs_database *db) {
    size_t count = 0;
    for (struct elfs_list *l = db->tables.next; l != &db->tables; l = l->next) count++;
    for (struct elfs_list *l = db->tables.next, *next; count >= ELFS_TABLES_MAX && l != &db->tables;
         l = next) {
        next = l->next;
        struct elfs_table_entry *entry = ELFS_CONTAINER_OF(l, struct elfs_table_entry, link);
        if (entry->users == 0) entry_free(entry);
    }
}

static struct elfs_table_entry *entry_new(struct elfs_database *db, struct elfs_view name) {
    struct elfs_table_entry *entry = elfs_calloc(1, sizeof *entry);
    if (!entry) return NULL;
    elfs_arena_init(&entry->arena);
    elfs_list_init(&entry->link);
    elfs_list_init(&entry->waiting);
    entry->name.data = elfs_arena_copy(&entry->arena, name.data, name.len);
    entry->name.len = name.len;
    struct load *load = entry->name.data ? load_new(db, entry) : NULL;
    if (!load) {
        entry_free(entry);
        return NULL;
    }
    entry->loading = true;
    entry->users = 1; /* the load's */
    make_room(db);
    elfs_list_push_back(&db->tables, &entry->link);
    elfs_list_push_back(&db->pending, &load->job.link);
    db->node->in_flight++;
    return entry;
}

struct elfs_table_entry *elfs_tables_get(struct elfs_database *db, struct elfs_view name,
                                         struct elfs_list *waiting) {
    struct elfs_table_entry *entry = NULL;
    for (struct elfs_list *l = db->tables.next; l != &db->tables; l = l->next) {
        struct elfs_table_entry *e = ELFS_CONTAINER_OF(l, struct elfs_table_entry, link);
        if (elfs_view_equal(e->name, name)) entry = e;
    }
    if (!entry) entry = entry_new(db, name);
    if (!entry) return NULL;
    entry->users++;
    if (entry->loading) elfs_list_push_back(&entry->waiting, waiting);
    return entry;
}

void elfs_tables_forget(struct elfs_database *db) {
    while (!elfs_list_empty(&db->tables))
        elfs_tables_drop(ELFS_CONTAINER_OF(db->tables.next, struct elfs_table_entry, link));
}

void elfs_tables_fini(struct elfs_database *db) {
    for (struct elfs_list *l; (l = elfs_list_pop_front(&db->tables));)
        entry_free(ELFS_CONTAINER_OF(l, struct elfs_table_entry, link));
}
