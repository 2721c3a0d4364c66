/* ecto_terms - the terms of Ecto that tests are about, as text (term_text.h). */
#ifndef ELFS_TESTS_ECTO_TERMS_H
#define ELFS_TESTS_ECTO_TERMS_H

#define META(schema, source, state)                                                                \
    "'__meta__' => #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, prefix => "    \
    "nil, schema => '" schema "', source => <<\"" source "\">>, state => " state "}"

/* A struct of My.User, source users. fields: "id => nil, ..." */
#define USER(state, fields)                                                                        \
    "#{'__struct__' => 'Elixir.My.User', " META("Elixir.My.User", "users", state) ", " fields "}"

#define USER_TYPES                                                                                 \
    "#{email => string, id => id, inserted_at => naive_datetime, name => string, updated_at => "   \
    "naive_datetime}"

#define NOT_LOADED(field)                                                                          \
    "#{'__struct__' => 'Elixir.Ecto.Association.NotLoaded', '__cardinality__' => many, "           \
    "'__field__' => " field ", '__owner__' => 'Elixir.My.User'}"

/* What all changesets below have in common; the rest is action, changes, constraints, data, errors,
 * repo, types and valid?. */
#define CHANGESET_BASE                                                                             \
    "'__struct__' => 'Elixir.Ecto.Changeset', empty_values => [fun "                               \
    "'Elixir.Ecto.Type':'empty_trimmed?'/2], filters => #{}, params => nil, prepare => [], "       \
    "required => [], validations => []"

/* A valid one, as an application gives it. */
#define CHANGESET(data, changes, types) CHANGESET_WITH(data, changes, types, "[]")
#define CHANGESET_WITH(data, changes, types, constraints)                                          \
    "#{" CHANGESET_BASE ", action => nil, repo => nil, repo_opts => [], errors => [], 'valid?' "   \
    "=> true, data => " data ", changes => " changes ", types => " types                           \
    ", constraints => " constraints "}"

/* One that comes back. */
#define ANSWERED(action, data, changes, types, constraints, errors)                                \
    "#{" CHANGESET_BASE ", action => " action ", repo => 'Elixir.My.Repo', repo_opts => [], "      \
    "errors => [" errors "], 'valid?' => false, data => " data ", changes => " changes             \
    ", types => " types ", constraints => " constraints "}"

#define CONSTRAINT(type, field, name, match, message)                                              \
    "#{type => " type ", field => " field ", constraint => <<\"" name "\">>, match => " match      \
    ", error_type => " type ", error_message => <<\"" message "\">>}"

#define NAIVE(second, microsecond)                                                                 \
    "#{'__struct__' => 'Elixir.NaiveDateTime', calendar => 'Elixir.Calendar.ISO', year => 2026, "  \
    "month => 11, day => 24, hour => 21, minute => 5, second => " second                           \
    ", microsecond => " microsecond "}"
#define UTC(second, microsecond)                                                                   \
    "#{'__struct__' => 'Elixir.DateTime', calendar => 'Elixir.Calendar.ISO', year => 2026, month " \
    "=> 11, day => 24, hour => 21, minute => 5, second => " second ", microsecond => " microsecond \
    ", time_zone => <<\"Etc/UTC\">>, zone_abbr => <<\"UTC\">>, utc_offset => 0, std_offset => 0}"

/* The clock of ecto_run, as a timestamp and as it is stored. */
#define NOW NAIVE("41", "{0, 0}")
#define NOW_TEXT "'2026-11-24T21:05:41'"

#define ARGUMENT_ERROR(message)                                                                    \
    "#{'__exception__' => true, '__struct__' => 'Elixir.ArgumentError', message => <<\"" message   \
    "\">>}"

#endif
