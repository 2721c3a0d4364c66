%% A writer's journal: what it was about to write, and what it was told. Written so that it outlives the writer's VM: a
%% line a write(2), the first of a pair before the write is tried. A line without its second is a write of unknown
%% outcome, and a last line that was cut off is none.
%%
%%    B KEY MICROSECONDS
%%    E KEY MICROSECONDS acked ID | refused WHY | unknown WHY | unexpected WHY
-module(e2e_journal).

%% API
-export([open/1]).
-export([began/2]).
-export([ended/3]).
-export([read/1]).
-export([parse/2]).
-export([acks_since/2]).
-export([failed_since/2]).
-export([now_us/0]).

-type attempt() :: #{key := binary(), writer := binary(), began := integer(), ended := integer() | none,
                     outcome := acked | refused | unknown | unexpected, detail := binary()}.
-export_type([attempt/0]).

%% So much of a journal's end is looked at by acks_since.
-define(TAIL, 8192).

-spec open(file:filename_all()) -> {ok, file:io_device()}.
open(File) ->
    ok = filelib:ensure_dir(File),
    {ok, _} = file:open(File, [append, raw, binary]).

-spec began(file:io_device(), binary()) -> ok.
began(File, Key) ->
    ok = file:write(File, ["B ", Key, $\s, integer_to_binary(now_us()), $\n]).

-spec ended(file:io_device(), binary(), e2e_outcome:outcome()) -> ok.
ended(File, Key, {Outcome, Detail}) ->
    Text = re:replace(io_lib:format("~0tp", [Detail]), "\\s+", " ", [global, unicode]),
    ok = file:write(File, ["E ", Key, $\s, integer_to_binary(now_us()), $\s, atom_to_binary(Outcome), $\s,
                           unicode:characters_to_binary(Text), $\n]).

%% All writers' attempts below a folder; a writer is known by its journal's name.
-spec read(file:filename_all()) -> [attempt()].
read(Folder) ->
    {ok, Names} = file:list_dir(Folder),
    lists:append([begin
                      {ok, Text} = file:read_file(filename:join(Folder, Name)),
                      parse(unicode:characters_to_binary(Name), Text)
                  end || Name <- Names]).

-spec parse(binary(), binary()) -> [attempt()].
parse(Writer, Text) ->
    %% What follows the last newline is empty or cut off.
    Lines = lists:droplast(binary:split(Text, <<"\n">>, [global])),
    lists:reverse(lists:foldl(fun(Line, Attempts) -> line(Writer, Line, Attempts) end, [], Lines)).

-spec line(binary(), binary(), [attempt()]) -> [attempt()].
line(Writer, <<"B ", Rest/binary>>, Attempts) ->
    [Key, At] = binary:split(Rest, <<" ">>),
    [#{key => Key, writer => Writer, began => binary_to_integer(At), ended => none, outcome => unknown,
       detail => <<"no answer">>} | Attempts];
line(_, <<"E ", Rest/binary>>, [#{key := Key} = Attempt | Attempts]) ->
    [Key, At, Outcome | Detail] = binary:split(Rest, <<" ">>, [global]),
    [Attempt#{ended := binary_to_integer(At), outcome := outcome(Outcome),
              detail := iolist_to_binary(lists:join($\s, Detail))} | Attempts].

-spec outcome(binary()) -> acked | refused | unknown | unexpected.
outcome(<<"acked">>) -> acked;
outcome(<<"refused">>) -> refused;
outcome(<<"unknown">>) -> unknown;
outcome(<<"unexpected">>) -> unexpected.

%% How many of a journal's last writes were acknowledged after that time.
-spec acks_since(file:filename_all(), integer()) -> non_neg_integer().
acks_since(File, Since) ->
    length([1 || {<<"acked">>, At} <- tail(File), At > Since]).

%% Has one of a journal's last writes not been, after that time?
-spec failed_since(file:filename_all(), integer()) -> boolean().
failed_since(File, Since) ->
    lists:any(fun({Outcome, At}) -> Outcome =/= <<"acked">> andalso At > Since end, tail(File)).

%% The last answers. The first line looked at may be half a line.
-spec tail(file:filename_all()) -> [{Outcome :: binary(), At :: integer()}].
tail(File) ->
    case file:open(File, [read, raw, binary]) of
        {ok, Device} ->
            {ok, Size} = file:position(Device, eof),
            Tail = case file:pread(Device, max(0, Size - ?TAIL), ?TAIL) of {ok, Bytes} -> Bytes; eof -> <<>> end,
            ok = file:close(Device),
            [{Outcome, binary_to_integer(At)}
             || <<"E ", _/binary>> = Line <- binary:split(Tail, <<"\n">>, [global]),
                [_, _, At, Outcome | _] <- [binary:split(Line, <<" ">>, [global])]];
        {error, enoent} ->
            []
    end.

%% All VMs of a run are on one machine.
-spec now_us() -> integer().
now_us() ->
    os:system_time(microsecond).
