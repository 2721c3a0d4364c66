/* each - see each.h. */
#include "ecto/each.h"

#include "codec/put.h"
#include "ecto/make.h"
#include "ecto/peek.h"

enum elfs_code elfs_ecto_each(struct elfs_view list, elfs_ecto_each_fn each, void *arg,
                              struct elfs_arena *arena, struct elfs_view *made) {
    struct elfs_ecto_list items;
    struct elfs_view item, one;
    struct elfs_buf buf;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(list, &items)) return ELFS_BADARG;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_list_header(&buf, items.items.left);
    while (code == ELFS_OK && elfs_ecto_list_next(&items, &item)) {
        code = each(arg, item, &one);
        if (code == ELFS_OK) elfs_buf_append_view(&buf, one);
    }
    elfs_put_nil(&buf);
    *made = elfs_ecto_take(&buf, arena);
    if (code == ELFS_OK && items.improper) return ELFS_BADARG;
    return code == ELFS_OK && made->len == 0 ? ELFS_NOMEM : code;
}
