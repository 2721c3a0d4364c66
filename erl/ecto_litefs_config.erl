%% @doc The options of `EctoLiteFS.Supervisor': defaults, checks, the struct `EctoLiteFS.Config'.
-module(ecto_litefs_config).

%% API
-export([new/1]).
-export([struct/1]).
-export([enforced_struct/1]).
-export([fields/0]).

%% A C node takes no more.
-define(REPLICAS_MAX, 64).

-type t() :: #{
    '__struct__' := 'Elixir.EctoLiteFS.Config',
    repo := module(),
    primary_file := binary(),
    poll_interval := pos_integer() | false,
    event_stream_url := binary() | false,
    table_name := binary(),
    cache_ttl := pos_integer(),
    refresh_grace_period := pos_integer(),
    erpc_timeout := pos_integer(),
    detection := port | driver,
    database := binary() | nil,
    pool_size := pos_integer(),
    read_your_writes := boolean() | pos_integer(),
    ack := ecto_litefs_call:ack(),
    ack_timeout := pos_integer()
}.
-export_type([t/0]).

%% @doc Checks the options and fills in the defaults. Raises `ArgumentError' for an option that is
%% missing or has a bad value, `KeyError' for one that does not exist. Of an option given twice the
%% last counts.
-spec new([{atom(), term()}]) -> t().
new(Options) when is_list(Options) ->
    ok = require_repo(Options),
    lists:foreach(fun check/1, Options),
    struct(Options).

%% @doc What Elixir calls for `%EctoLiteFS.Config{...}': the struct, if the Repo is among the
%% fields.
-spec enforced_struct([{atom(), term()}] | map()) -> map().
enforced_struct(Fields) when is_map(Fields) ->
    enforced_struct(maps:to_list(Fields));
enforced_struct(Fields) ->
    case lists:keymember(repo, 1, Fields) of
        true -> struct(Fields);
        false -> raise("the following keys must also be given when building struct "
                       "EctoLiteFS.Config: [:repo]", [])
    end.

%% @doc The struct with these fields set, unchecked.
-spec struct([{atom(), term()}]) -> map().
struct(Fields) ->
    lists:foldl(fun({Key, Value}, Struct) ->
        case Struct of
            #{Key := _} -> Struct#{Key := Value};
            #{} -> error(ecto_litefs_elixir:key_error(Key, Struct))
        end
    end, maps:from_list([{'__struct__', 'Elixir.EctoLiteFS.Config'} | fields()]), Fields).

%% @doc The fields and their defaults.
-spec fields() -> [{atom(), term()}].
fields() ->
    [{repo, nil},
     {primary_file, <<"/litefs/.primary">>},
     {poll_interval, 30000},
     {event_stream_url, <<"http://localhost:20202/events">>},
     {table_name, <<"_ecto_litefs_primary">>},
     {cache_ttl, 5000},
     {refresh_grace_period, 100},
     {erpc_timeout, 15000},
     {detection, port},
     {database, nil},
     {pool_size, 256},
     {read_your_writes, false},
     {ack, local},
     {ack_timeout, 5000}].

require_repo(Options) ->
    case lists:keymember(repo, 1, Options) of
        true -> ok;
        false -> raise("EctoLiteFS.Config requires :repo option", [])
    end.

check({repo, Repo}) when is_atom(Repo) -> ok;
check({repo, _}) -> raise("EctoLiteFS.Config :repo must be an atom", []);
check({poll_interval, false}) -> ok;
check({Key, Value}) when Key =:= poll_interval; Key =:= cache_ttl; Key =:= refresh_grace_period;
                         Key =:= erpc_timeout; Key =:= pool_size; Key =:= ack_timeout ->
    expect(is_integer(Value) andalso Value > 0, Key, "a positive integer", Value);
check({event_stream_url, false}) -> ok;
check({database, nil}) -> ok;
check({Key, Value}) when Key =:= primary_file; Key =:= event_stream_url; Key =:= database ->
    expect(is_binary(Value) andalso Value =/= <<>>, Key, "a non-empty string", Value);
check({table_name, Name}) when is_binary(Name) ->
    %% The name becomes part of SQL: nothing that would need quoting gets in. (dollar_endonly: $
    %% alone would let a newline at the end pass.)
    Valid = re:run(Name, "^[a-zA-Z_][a-zA-Z0-9_]*$", [dollar_endonly, {capture, none}]) =:= match,
    expect(Valid, table_name, "a valid SQL identifier (letters, digits and underscores, not "
           "beginning with a digit)", Name);
check({table_name, Name}) ->
    refuse(table_name, "a string", Name);
check({read_your_writes, How}) ->
    expect(is_boolean(How) orelse is_integer(How) andalso How > 0, read_your_writes,
           "true, false or a positive integer", How);
check({ack, Ack}) ->
    Valid = case Ack of
        local -> true;
        {replicas, Count} -> is_integer(Count) andalso Count > 0 andalso Count =< ?REPLICAS_MAX;
        _ -> false
    end,
    expect(Valid, ack, "local or {replicas, 1 to 64}", Ack);
check({detection, How}) ->
    expect(How =:= port orelse How =:= driver, detection, "port or driver", How);
check({Key, _}) when is_atom(Key) ->
    %% An unknown key: struct/1 raises.
    ok;
check(Other) ->
    raise("EctoLiteFS.Config expects a keyword list, got: ~ts",
          [ecto_litefs_elixir:inspect(Other)]).

expect(true, _, _, _) ->
    ok;
expect(false, Key, What, Value) ->
    refuse(Key, What, Value).

-spec refuse(atom(), string(), term()) -> no_return().
refuse(Key, What, Value) ->
    raise("EctoLiteFS.Config :~ts must be ~ts, got: ~ts",
          [Key, What, ecto_litefs_elixir:inspect(Value)]).

-spec raise(io:format(), [term()]) -> no_return().
raise(Format, Args) ->
    error(ecto_litefs_elixir:argument_error(Format, Args)).
