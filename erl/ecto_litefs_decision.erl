%% @doc What follows from what is known: who the primary is, whether a new primary writes its name
%% into the tracker row, where a write goes. PURE.
%%
%% Two things are known of a Repo. The role of this host comes from the port (LiteFS itself). The
%% name of the primary's node comes from the tracker row, read by the port or through the Repo. As
%% long as `by' is `role', LiteFS decides and the row only names the primary to a replica:
%%
%%    role      answer                                                holds until
%%    primary   this node                                             the next announcement
%%    replica   the connected node that the row names; else nil       the row's time to live
%%    unknown   nil                                                   the next announcement
%%
%% set_primary/2 and set_replica/1 set `by' to `row': then the row alone decides, as it does in
%% EctoLiteFS 1.0, until LiteFS announces another role or another primary. `given' is the node that
%% set_primary/2 was called with: it is taken as it is until the row is read again. `told' is the
%% name that the port has read last: it is news only when it changes, since the Repo may have read
%% or written the row meanwhile.
%%
%% `said' is the C node that has said it became the primary. Its word counts if it came while this
%% host's LiteFS knew no primary (it looks for one for a second and more): `early'. One that came
%% while LiteFS knew one, `late', counts only while the node that the row names is not connected or
%% denies that it is the primary: a node that was cut off is wrong about itself; but a machine that
%% died without a word is this host's LiteFS's primary until TCP gives it up, which takes a minute,
%% and meanwhile another may have its lease. `denied' is the row's name then. A word and a denial
%% hold until the row changes, LiteFS announces another primary or looks for one again; a word also
%% until it is taken back.
%%
%% Names are compared as binaries with the names of connected nodes, so that none becomes an atom.
-module(ecto_litefs_decision).

%% API
-export([new/0]).
-export([blind/0]).
-export([announce/2]).
-export([row_read/2]).
-export([claimed/2]).
-export([row_decides/1]).
-export([said/2]).
-export([taken_back/2]).
-export([denied/2]).
-export([on_trust/2]).
-export([set/2]).
-export([is_given/2]).
-export([role/1]).
-export([looking/1]).
-export([changed/2]).
-export([told/1]).
-export([answer/2]).
-export([rests_on_row/1]).
-export([unconnected/2]).
-export([duty/1]).
-export([claim/2]).
-export([beside/2]).
-export([row/1]).
-export([route/2]).

-type role() :: primary | replica | unknown.
-type mount() :: absent | plain | dead | live.
%% What the port tells: docs/port.md.
-type announced() :: #{role := role(), hostname := binary() | nil, node := binary() | nil,
                       mount := mount(), sources := map(), _ => _}.
-opaque view() :: #{role := role() | none, hostname := binary() | nil, mount := mount(),
                    by := role | row, row := binary() | nil, given := node() | nil,
                    told := binary() | nil | none,
                    said := {node(), early | late} | nil, denied := binary() | nil}.
-export_type([role/0, announced/0, view/0]).

%% @doc Nothing is known yet.
-spec new() -> view().
new() ->
    #{role => none, hostname => nil, mount => absent, by => role, row => nil, given => nil,
      told => none, said => nil, denied => nil}.

%% @doc What is announced when there is no port to ask.
-spec blind() -> announced().
blind() ->
    #{role => unknown, hostname => nil, node => nil, mount => plain, sources => #{}}.

%% @doc The port tells a state. Another role or another primary's hostname ends what was set by
%% hand.
-spec announce(announced(), view()) -> view().
announce(#{role := Role, hostname := Host, mount := Mount} = State, View) ->
    View1 = case View of
        #{role := Role, hostname := Host} -> View;
        #{hostname := nil} -> View#{by := role, given := nil, denied := nil};
        #{} -> View#{by := role, given := nil, said := nil, denied := nil}
    end,
    row_announced(State, View1#{role := Role, hostname := Host, mount := Mount}).

%% The port reads the row only where it was given a database.
row_announced(#{sources := #{row := #{enabled := true}}, node := Name}, View) ->
    case View of
        #{told := Name} -> View;
        #{row := Name} -> View#{told := Name};
        #{} -> row_read(Name, View#{told := Name})
    end;
row_announced(#{}, View) ->
    View.

%% @doc The row was read: it names this node, or there is no row.
-spec row_read(binary() | nil, view()) -> view().
row_read(Name, #{row := Name} = View) ->
    View#{given := nil};
row_read(Name, View) ->
    View#{row := Name, given := nil, said := nil, denied := nil}.

%% @doc A primary has seen to the row, which names this node now. What was set by hand stays.
-spec claimed(binary(), view()) -> view().
claimed(Name, #{by := role} = View) -> row_read(Name, View);
claimed(_, View) -> View.

%% @doc From now on the row decides.
-spec row_decides(view()) -> view().
row_decides(View) ->
    View#{by := row}.

%% @doc A C node says that it is the primary now.
-spec said(node(), view()) -> view().
said(Node, #{hostname := nil} = View) -> View#{said := {Node, early}};
said(_, #{said := {_, early}} = View) -> View;
said(Node, View) -> View#{said := {Node, late}}.

%% @doc The node's word does not count any more. What the row says does: it may name that very node by now.
-spec taken_back(node(), view()) -> view().
taken_back(Node, #{said := {Node, _}} = View) -> View#{said := nil};
taken_back(_, View) -> View.

%% @doc The node is not the primary: its word does not count any more, and its name in the row no
%% more than another's word.
-spec denied(node(), view()) -> view().
denied(Node, #{said := {Node, _}} = View) ->
    View#{said := nil};
denied(Node, #{row := Name} = View) ->
    case atom_to_binary(Node) of
        Name -> View#{denied := Name};
        _ -> View
    end.

%% @doc Whose word has to do: until the row is here, or since the node that it names has gone or denies.
-spec on_trust(view(), [node()]) -> node() | nil.
on_trust(#{by := role, role := replica, said := {Node, early}}, _) ->
    Node;
on_trust(#{by := role, role := replica, said := {Node, late}, row := Name, denied := Denied}, Nodes) ->
    case Name =:= Denied orelse resolve(Name, Nodes -- [node()]) =:= nil of
        true -> Node;
        false -> nil
    end;
on_trust(#{}, _) ->
    nil.

%% @doc The row was written by hand: it decides, and this is what it names.
-spec set(node(), view()) -> view().
set(Node, View) ->
    View#{by := row, row := atom_to_binary(Node), given := Node}.

%% @doc Is it the primary since set_primary/2 was called with it?
-spec is_given(node(), view()) -> boolean().
is_given(Node, #{by := row, given := Node}) -> true;
is_given(_, #{}) -> false.

%% @doc The role, `none' before the first announcement.
-spec role(view()) -> role() | none.
role(#{role := Role}) ->
    Role.

%% @doc Does LiteFS of this host, a replica, know no primary?
-spec looking(view()) -> boolean().
looking(#{role := Role, hostname := Host}) ->
    Role =:= replica andalso Host =:= nil.

%% @doc Do the two differ in what LiteFS says: the role, or who the primary is?
-spec changed(view(), view()) -> boolean().
changed(#{role := Role, hostname := Host}, #{role := Role, hostname := Host}) -> false;
changed(#{}, #{}) -> true.

%% @doc The name that the port has read last, `none' if it reads none.
-spec told(view()) -> binary() | nil | none.
told(#{told := Name}) ->
    Name.

%% @doc The primary's node, as far as it is known and connected. The nodes: this one and the
%% connected ones.
-spec answer(view(), [node()]) -> node() | nil.
answer(#{by := row, given := Node}, _) when Node =/= nil ->
    Node;
answer(#{by := row, row := Name}, Nodes) ->
    resolve(Name, Nodes);
answer(#{role := primary}, _) ->
    node();
answer(#{role := replica, row := Name} = View, Nodes) ->
    Trusted = on_trust(View, Nodes),
    case lists:member(Trusted, Nodes) of
        true -> Trusted;
        %% A row that names a replica has not been replaced by the new primary yet.
        false -> resolve(Name, Nodes -- [node()])
    end;
answer(#{}, _) ->
    nil.

resolve(nil, _) ->
    nil;
resolve(Name, Nodes) ->
    case [N || N <- Nodes, atom_to_binary(N) =:= Name] of
        [Node | _] -> Node;
        [] -> nil
    end.

%% @doc The name in the row.
-spec row(view()) -> binary() | nil.
row(#{row := Name}) ->
    Name.

%% @doc Does the answer depend on the row, so that it grows old?
-spec rests_on_row(view()) -> boolean().
rests_on_row(#{by := By, role := Role}) ->
    By =:= row orelse Role =:= replica.

%% @doc The name in the row, if the answer needs it and no connected node has it.
-spec unconnected(view(), [node()]) -> binary() | none.
unconnected(#{row := Name} = View, Nodes) when is_binary(Name) ->
    case rests_on_row(View) andalso Name =/= atom_to_binary(node())
        andalso answer(View, Nodes) =:= nil of
        true -> Name;
        false -> none
    end;
unconnected(#{row := nil}, _) ->
    none.

%% @doc What this node owes the tracker table: to make it, and to name the primary in it when there
%% is LiteFS. Only a primary may write.
-spec duty(view()) -> none | table | claim.
duty(#{role := primary, mount := absent}) -> table;
duty(#{role := primary}) -> claim;
duty(#{}) -> none.

%% @doc A primary has read the row: does it write its own name? Not if the row names another
%% connected node of this host already: that is the host's C node, which takes the writes. One that
%% is not connected is to be met first: it may run for longer than this node does.
-spec claim(binary() | nil, [node()]) -> keep | write | meet.
claim(nil, _) ->
    write;
claim(Name, Nodes) ->
    case host(Name) =:= host(atom_to_binary(node())) of
        true ->
            case resolve(Name, [node() | Nodes]) of
                nil -> meet;
                _ -> keep
            end;
        false ->
            write
    end.

%% @doc The C node of this host, which takes the writes of others while this host is the primary.
-spec beside(view(), [node()]) -> node() | nil.
beside(#{row := Name}, Nodes) ->
    neighbour(Name, Nodes -- [node()]).

neighbour(Name, Nodes) ->
    case resolve(Name, Nodes) =/= nil andalso host(Name) =:= host(atom_to_binary(node())) of
        true -> resolve(Name, Nodes);
        false -> nil
    end.

host(Name) ->
    [_ | Host] = binary:split(Name, <<"@">>),
    Host.

%% @doc Where a write goes. `Started': does a supervisor run for the Repo?
-spec route({ok, node() | nil} | {error, term()}, boolean()) ->
          local | pass_through | {forward, node()} | {error, term()}.
route({ok, nil}, _) -> {error, primary_unavailable};
route({ok, Node}, _) when Node =:= node() -> local;
route({ok, Node}, _) -> {forward, Node};
route({error, not_ready}, false) -> pass_through;
route({error, not_ready}, true) -> {error, primary_unavailable};
route({error, Reason}, _) -> {error, Reason}.
