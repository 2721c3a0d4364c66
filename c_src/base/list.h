/* list - an intrusive doubly linked list.
 *
 * A head is a link that points at itself when the list is empty. An element not on any list may be
 * initialised the same way, which makes removing it twice harmless.
 */
#ifndef ELFS_BASE_LIST_H
#define ELFS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct elfs_list {
    struct elfs_list *next;
    struct elfs_list *prev;
};

#define ELFS_CONTAINER_OF(ptr, type, member)                                                       \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void elfs_list_init(struct elfs_list *head) {
    head->next = head;
    head->prev = head;
}

static inline bool elfs_list_empty(const struct elfs_list *head) { return head->next == head; }

static inline void elfs_list_push_back(struct elfs_list *head, struct elfs_list *link) {
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

/* Takes link off its list and leaves it pointing at itself. */
static inline void elfs_list_remove(struct elfs_list *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    elfs_list_init(link);
}

/* Takes the first element off; NULL when empty. */
static inline struct elfs_list *elfs_list_pop_front(struct elfs_list *head) {
    struct elfs_list *first = head->next;
    if (first == head) return NULL;
    elfs_list_remove(first);
    return first;
}

/* Moves all of `from` to the end of `to`; `from` is empty afterwards. */
static inline void elfs_list_append_all(struct elfs_list *to, struct elfs_list *from) {
    if (elfs_list_empty(from)) return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    elfs_list_init(from);
}

#endif
