/* prop_predict - what a call has to answer, and what the table holds afterwards. */
#ifndef ELFS_TESTS_PROP_PREDICT_H
#define ELFS_TESTS_PROP_PREDICT_H

#include "prop_call.h"

#define PROP_ANSWERS 4

enum prop_outcome {
    PROP_ANSWERED,
    PROP_REFUSED, /* {unsupported, _} and its kin: nothing is written */
    PROP_OPEN,    /* the order of SQLite's checks decides, or that of ours: not to be called */
};

/* One of the answers that are right: a whole term as text, or what it mentions. */
struct prop_answer {
    bool raised;
    const char *exact;
    const char *mentions[2];
};

struct prop_prediction {
    enum prop_outcome outcome;
    struct prop_answer answers[PROP_ANSWERS];
    size_t answer_count;
    struct prop_table after;
};

/* What is under way: private to the predictions. */
struct prop_world {
    const struct prop_schema *schema;
    struct elfs_arena *arena;
    const struct prop_call *call;
    struct prop_prediction *p;
    bool refused;
    const char *raises; /* a value is not of its type */
    uint8_t random;     /* of the next UUID */
};

void prop_predict(const struct prop_schema *schema, struct elfs_arena *arena,
                  const struct prop_table *before, const struct prop_call *call,
                  struct prop_prediction *prediction);

/* For the predictions of single rows and of insert_all: */

/* A value that is to be stored or looked for: as a type says, or without one. */
void prop_check_value(struct prop_world *w, const struct prop_value *value, bool typed);
/* Settled by what the checks found. */
bool prop_settle(struct prop_world *w);
void prop_answer_exact(struct prop_world *w, bool raised, const char *text);
void prop_answer_raise(struct prop_world *w, const char *exception, const char *text);
/* UUID, timestamp: fills in what Ecto generates for an INSERT of these fields; more are given. */
uint32_t prop_generate_id(struct prop_world *w, struct prop_value *values, uint32_t given,
                          bool typed);
/* The options' set of fields that ON CONFLICT replaces. */
uint32_t prop_replaced(const struct prop_world *w);
/* Checks the options of ON CONFLICT: false if Ecto raises, which is answered. */
bool prop_check_conflict(struct prop_world *w, bool typed, bool bare);

enum prop_write { PROP_WRITTEN, PROP_NOT_WRITTEN, PROP_VIOLATED, PROP_NULL, PROP_UNDECIDED };
/* An INSERT into p->after, with ON CONFLICT if there are columns. *row: the row as it is then;
 * *violated: unique indexes, or the field that is NULL. */
enum prop_write prop_insert_row(struct prop_world *w, bool columns, struct prop_row *row,
                                uint32_t *violated);

void prop_predict_all(struct prop_world *w);

#endif
