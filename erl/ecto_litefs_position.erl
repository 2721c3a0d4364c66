%% @doc LiteFS's position of a database, and what it says about a write's. PURE.
%%
%%    <database>-pos      016x TXID / 016x checksum \n, 34 bytes
%%
%% A copy has a write when its TXID has come to the write's. At the same TXID the checksums must
%% be the same: after a failover that lost a write there is another one in its place. A copy that is
%% further cannot tell any more, since the checksum tells of one moment only.
-module(ecto_litefs_position).

%% API
-export([parse/1]).
-export([has/2]).

-type t() :: {Txid :: non_neg_integer(), Checksum :: non_neg_integer()}.
-export_type([t/0]).

%% @doc The text of the file.
-spec parse(binary()) -> {ok, t()} | error.
parse(<<Txid:16/binary, $/, Checksum:16/binary, "\n">>) ->
    try
        {ok, {binary_to_integer(Txid, 16), binary_to_integer(Checksum, 16)}}
    catch
        error:badarg -> error
    end;
parse(_) ->
    error.

%% @doc Does a copy at this position have the write that was acknowledged with that one?
-spec has(Here :: t(), Write :: t()) -> yes | not_yet | diverged.
has({Here, _}, {Txid, _}) when Here > Txid -> yes;
has({Here, _}, {Txid, _}) when Here < Txid -> not_yet;
has({_, Checksum}, {_, Checksum}) -> yes;
has(_, _) -> diverged.
