# An application with Ecto for the suite: one Repo that forwards, the same Repo without us to compare with, and
# schemas with every kind of field, association and constraint.

defmodule Test.Repo do
  @moduledoc "Forwards. It plays a replica: its own file is not the primary's."
  use Ecto.Repo, otp_app: :ecto_suite, adapter: Ecto.Adapters.SQLite3
  use EctoMiddleware.Repo

  @impl EctoMiddleware.Repo
  def middleware(_action, _resource), do: [EctoLiteFS.Middleware]
end

defmodule Test.Local do
  @moduledoc "What a Repo on the primary does."
  use Ecto.Repo, otp_app: :ecto_suite, adapter: Ecto.Adapters.SQLite3
end

defmodule Test.Shout do
  @moduledoc "A type of the application's own: upper case in the file, lower case outside."
  use Ecto.Type

  def type, do: :string
  def cast(value) when is_binary(value), do: {:ok, value}
  def cast(_), do: :error
  def dump(value), do: {:ok, String.upcase(value)}
  def load(value), do: {:ok, String.downcase(value)}
end

defmodule Test.Address do
  use Ecto.Schema

  embedded_schema do
    field :street, :string
    field :moved_in, :date
  end

  def changeset(address, params), do: Ecto.Changeset.cast(address, params, [:street, :moved_in])
end

defmodule Test.User do
  use Ecto.Schema
  import Ecto.Changeset

  schema "users" do
    field :name, :string
    field :email, :string
    field :nick, :string, source: :nick_name
    field :role, Ecto.Enum, values: [:admin, :member], default: :member
    field :level, Ecto.Enum, values: [low: 1, high: 2]
    field :active, :boolean
    field :age, :integer
    field :score, :float
    field :balance, :decimal
    field :born, :date
    field :wakes, :time
    field :wakes_usec, :time_usec
    field :seen_naive, :naive_datetime
    field :seen_naive_usec, :naive_datetime_usec
    field :seen, :utc_datetime
    field :seen_usec, :utc_datetime_usec
    field :prefs, :map
    field :tags, {:array, :string}
    field :token, :binary
    field :device, Ecto.UUID
    field :motto, Test.Shout
    field :serial, :integer, read_after_writes: true
    field :lock, :integer, default: 1
    embeds_one :address, Test.Address, on_replace: :update
    embeds_many :former, Test.Address, on_replace: :delete
    has_many :posts, Test.Post
    timestamps(type: :utc_datetime_usec)
  end

  @fields ~w(name email nick role level active age score balance born wakes wakes_usec seen_naive
             seen_naive_usec seen seen_usec prefs tags token device motto)a

  @doc "Values of every type, for changeset/2."
  def every_field do
    %{
      name: "Ann O'Hara ünï",
      email: "ann@example.com",
      nick: "ann",
      role: :admin,
      level: :high,
      active: true,
      age: 44,
      score: 1.5,
      balance: "1234567890.123456789",
      born: ~D[1980-02-29],
      wakes: ~T[06:30:00],
      wakes_usec: ~T[06:30:00.000001],
      seen_naive: ~N[2026-11-24 21:12:51],
      seen_naive_usec: ~N[2026-11-24 21:12:51.123456],
      seen: ~U[2026-11-24 21:12:51Z],
      seen_usec: ~U[2026-11-24 21:12:51.654321Z],
      prefs: %{"a" => [1, 2.5, nil, true], "ü" => %{}},
      tags: ["x", "y'z"],
      token: <<0, 255, 1, 0>>,
      device: "a4c5a1e1-6f4c-4c34-9a24-0d7bb7d0a001",
      motto: "quiet"
    }
  end

  def changeset(user, params) do
    user
    |> cast(params, @fields)
    |> validate_required([:name])
    |> cast_embed(:address)
    |> cast_embed(:former)
    |> cast_assoc(:posts)
    |> unique_constraint(:email)
    |> check_constraint(:age, name: :age_not_negative, message: "must not be negative")
  end
end

defmodule Test.Post do
  use Ecto.Schema
  import Ecto.Changeset

  schema "posts" do
    field :title, :string
    belongs_to :user, Test.User
    has_many :comments, Test.Comment
  end

  def changeset(post, params) do
    post
    |> cast(params, [:title, :user_id])
    |> cast_assoc(:comments)
    |> unique_constraint([:user_id, :title])
    |> foreign_key_constraint(:user_id)
  end
end

defmodule Test.Comment do
  use Ecto.Schema
  import Ecto.Changeset

  schema "comments" do
    field :body, :string
    belongs_to :post, Test.Post
  end

  def changeset(comment, params), do: cast(comment, params, [:body])
end

defmodule Test.Device do
  @moduledoc "A key that the application makes, and stamps in seconds."
  use Ecto.Schema

  @primary_key {:id, :binary_id, autogenerate: true}
  schema "devices" do
    field :name, :string
    timestamps()
  end
end

defmodule Test.Note do
  use Ecto.Schema

  @primary_key false
  embedded_schema do
    field :text, :string
    field :at, :utc_datetime
  end

  def changeset(note, params), do: Ecto.Changeset.cast(note, params, [:text, :at])
end

defmodule Test.Line do
  @moduledoc "Embedded, with embedded schemas of its own, stamps, and a field under another name."
  use Ecto.Schema
  import Ecto.Changeset

  embedded_schema do
    field :what, :string, source: :w
    field :count, :integer, default: 1
    field :price, :decimal
    field :weight, :float
    field :kind, Ecto.Enum, values: [:goods, :service]
    field :state, Ecto.Enum, values: [open: 1, paid: 2], embed_as: :dumped
    field :gift, :boolean
    field :due, :date
    field :cut_off, :time_usec
    field :paid_at, :naive_datetime_usec
    field :more, :map
    field :sizes, {:array, :integer}
    field :rates, {:map, :float}
    field :tracking, Ecto.UUID
    field :seen, :boolean, virtual: true
    embeds_one :note, Test.Note, on_replace: :delete
    embeds_many :notes, Test.Note, on_replace: :delete
    timestamps(type: :utc_datetime)
  end

  @fields ~w(id what count price weight kind state gift due cut_off paid_at more sizes rates tracking seen)a

  def changeset(line, params) do
    line |> cast(params, @fields) |> cast_embed(:note) |> cast_embed(:notes)
  end
end

defmodule Test.Order do
  @moduledoc "What a C node can do by itself: no type of the application's own."
  use Ecto.Schema
  import Ecto.Changeset

  schema "orders" do
    field :name, :string
    field :prefs, :map
    field :tags, {:array, :string}
    field :flags, {:array, :boolean}
    field :days, {:array, :date}
    field :counts, {:map, :integer}
    field :things, {:array, :any}
    field :docs, {:array, :map}
    field :total, :decimal
    embeds_one :address, Test.Address, on_replace: :delete
    embeds_many :lines, Test.Line, on_replace: :delete, source: :all_lines
    timestamps()
  end

  def changeset(order, params) do
    order
    |> cast(params, [:name, :prefs, :tags, :flags, :days, :counts, :total])
    |> cast_embed(:address)
    |> cast_embed(:lines)
    |> unique_constraint(:name)
  end
end

defmodule Test.Bare do
  @moduledoc "Declares no constraint."
  use Ecto.Schema

  schema "users" do
    field :name, :string
    field :email, :string
    field :inserted_at, :string, default: "then"
    field :updated_at, :string, default: "then"
  end
end

defmodule Test.World do
  @moduledoc "Files, C nodes and Repos for one test."

  @ddl """
  PRAGMA journal_mode = WAL;
  CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT, nick_name TEXT, role TEXT,
    level INTEGER, active INTEGER, age INTEGER CONSTRAINT age_not_negative CHECK (age >= 0),
    score NUMERIC, balance TEXT, born TEXT, wakes TEXT, wakes_usec TEXT, seen_naive TEXT,
    seen_naive_usec TEXT, seen TEXT, seen_usec TEXT, prefs TEXT, tags TEXT, token BLOB, device TEXT,
    motto TEXT, serial INTEGER DEFAULT 42, lock INTEGER, address TEXT, former TEXT,
    inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
  CREATE UNIQUE INDEX users_email_index ON users (email);
  CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, reply_to INTEGER REFERENCES posts (id),
    user_id INTEGER REFERENCES users (id) DEFERRABLE INITIALLY IMMEDIATE);
  CREATE UNIQUE INDEX posts_user_id_title_index ON posts (user_id, title);
  CREATE TABLE comments (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT, post_id INTEGER REFERENCES posts (id));
  CREATE TABLE late (id INTEGER PRIMARY KEY, user_id INTEGER
    REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, prefs TEXT, tags TEXT, flags TEXT,
    days TEXT, counts TEXT, things TEXT, docs TEXT, total TEXT, address TEXT, all_lines TEXT, inserted_at TEXT, updated_at TEXT);
  CREATE UNIQUE INDEX orders_name_index ON orders (name);
  CREATE TABLE devices (id TEXT PRIMARY KEY, name TEXT, inserted_at TEXT, updated_at TEXT);
  """

  @doc "A folder with the primary's file, the replica's and the one to compare with."
  def files do
    dir = :ct_env.dir(config())
    files = Map.new([:primary, :replica, :local], &{&1, Path.join(to_string(dir), "#{&1}.db")})
    for {_, path} <- files, do: shell(path, @ddl)
    Map.put(files, :dir, dir)
  end

  @doc "A C node that serves the file."
  def cnode(path, args \\ []) do
    :ct_node.start(config(), %{db: String.to_charlist(path), args: Enum.map(args, &to_charlist/1)})
  end

  def config, do: :persistent_term.get(__MODULE__)
  def keep(config), do: :persistent_term.put(__MODULE__, config)

  @doc "What the sqlite3 shell prints: what is really in the file."
  def shell(path, sql) do
    {out, 0} = System.cmd("sqlite3", ["-bail", path, sql])
    out
  end

  @doc "All rows with their storage classes, but for the stamps and the ids that are random."
  def stored(path, table) do
    columns =
      path
      |> shell("SELECT name FROM pragma_table_info('#{table}') WHERE name NOT LIKE '%ted_at'")
      |> String.split()

    parts = Enum.map_join(columns, ", ", &"'#{&1}', typeof(#{&1}), quote(#{&1})")
    path |> shell("SELECT #{parts} FROM #{table} ORDER BY rowid") |> blank()
  end

  @doc "A text without what is made anew each time: UUIDs (given ones begin with zeros), stamps in JSON."
  def blank(text) do
    text
    |> String.replace(~r/(?!0{8})[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/, "UUID")
    |> String.replace(~r/"(inserted|updated)_at":"[^"]*"/, ~S("\1_at":"STAMP"))
  end

  @doc "Waits until the function returns something true."
  def eventually(fun), do: :ct_wait.until(fun)
end

defmodule Test.There do
  @moduledoc "Blocks that another BEAM node can run: their module is in a file."
  alias Test.{Repo, User}

  def add, do: Repo.insert!(%User{name: "A"})
  def count, do: {node(), Repo.aggregate(User, :count)}
  def add_and_say, do: add() && node()
  def add_and_undo, do: add() && Repo.rollback(:no)
  def add_and_raise, do: add() && File.read!("/none")
  def leave, do: exit(:out)
  def toss, do: throw(:up)
end

defmodule Test.Direct do
  @moduledoc "The Repo's calls, made of the C node by erpc: it answers them without Ecto."

  for function <- [:insert, :update, :delete, :insert_or_update, :insert!, :update!, :delete!, :insert_or_update!] do
    def unquote(function)(resource, opts \\ []), do: call(unquote(function), [resource, opts])
  end

  def insert_all(source, rows, opts \\ []), do: call(:insert_all, [source, rows, opts])

  defp call(function, args) do
    {:ok, node} = EctoLiteFS.get_primary(Test.Repo)
    :erpc.call(node, Test.Repo, function, args)
  catch
    :error, {:exception, exception, _} -> raise exception
  end
end

defmodule Test.StandIn do
  @moduledoc "A BEAM node that answers like a C node, but what the test wants."

  @code ~S"""
  -module(ecto_litefs).
  -export([info/0, 'is_primary?'/1, query/4, 'begin'/2, commit/2, rollback/2, resolve/2]).
  info() -> answer(info).
  'is_primary?'(_) -> answer(is_primary).
  query(_, _, _, Options) -> keep(Options), answer(query).
  'begin'(_, Options) -> keep(Options), answer('begin').
  commit(_, _) -> answer(commit).
  rollback(_, _) -> answer(rollback).
  resolve(_, Key) -> keep(#{key => Key}), answer(resolve).
  keep(Options) -> persistent_term:put({options, erlang:unique_integer([monotonic])}, Options).
  answer(What) ->
      persistent_term:put({call, erlang:unique_integer([monotonic])}, What),
      persistent_term:get(What).
  """

  @answers [
    info: %{repos: %{}},
    is_primary: true,
    query: {:ok, %{columns: ["id"], rows: [[1]], changes: 1}},
    begin: {:ok, :token},
    commit: {:ok, %{position: nil}},
    rollback: :ok,
    resolve: {:ok, %{outcome: :aborted, position: nil}}
  ]

  def load(node) do
    forms = for line <- String.split(@code, ~r/\.\n/, trim: true), do: form(line)
    {:ok, module, binary} = :compile.forms(forms)
    {:module, ^module} = :erpc.call(node, :code, :load_binary, [module, ~c"stand-in", binary])
    for {what, answer} <- @answers, do: :ok = answer(node, what, answer)
    :ok
  end

  defp form(text) do
    {:ok, tokens, _} = :erl_scan.string(String.to_charlist(text <> "."))
    {:ok, form} = :erl_parse.parse_form(tokens)
    form
  end

  def answer(node, what, answer), do: :erpc.call(node, :persistent_term, :put, [what, answer])

  @doc "The functions called, in order."
  def calls(node), do: for({_, what} <- entries(node), do: what)

  @doc "Their options, in order."
  def options(node), do: for({_, options} <- entries(node, :options), do: options)

  def forget(node) do
    for what <- [:call, :options], {key, _} <- entries(node, what) do
      :erpc.call(node, :persistent_term, :erase, [key])
    end
  end

  defp entries(node, what \\ :call) do
    all = :erpc.call(node, :persistent_term, :get, [])
    Enum.sort(for {{^what, _}, _} = entry <- all, do: entry)
  end
end

defmodule Test.Case do
  @moduledoc """
  A replica: this VM, whose primary is a C node. `@tag primary: :beam | :stand_in | :here | :none` for other primaries,
  `@tag args: [...]` for the C node's, `@tag config: [...]` for the Repo's own configuration.
  """
  use ExUnit.CaseTemplate
  alias Test.World

  @primary_file "/stand-in/.primary"

  using do
    quote do
      import Ecto.Query
      import Test.Case
      import Test.World, only: [shell: 2, stored: 2, eventually: 1]
      alias Test.{Bare, Comment, Device, Direct, Local, Post, Repo, User, World}
    end
  end

  setup context do
    files = World.files()
    port = :app_port.start(files.dir)
    world = start_primary(Map.get(context, :primary, :cnode), files, context)
    claim(files.replica, world.name)
    :ok = :app_port.announce(port, @primary_file, world.state)

    Application.put_env(:ecto_suite, Test.Repo, Map.get(context, :config, []))
    start_supervised!({Test.Repo, database: files.replica, pool_size: 2})
    start_supervised!({Test.Local, database: files.local, pool_size: 2})

    start_supervised!(
      {EctoLiteFS.Supervisor, [repo: Test.Repo, primary_file: @primary_file, database: files.replica] ++ Map.get(context, :opts, [])}
    )

    World.eventually(fn -> EctoLiteFS.get_primary(Test.Repo) == {:ok, world.primary} end)
    Map.merge(world, %{files: files, port: port})
  end

  @doc "Writes the tracker row, as a primary does and LiteFS replicates it."
  def claim(_, nil), do: :ok

  def claim(path, name) do
    World.shell(path, """
    CREATE TABLE IF NOT EXISTS _ecto_litefs_primary
      (id INTEGER PRIMARY KEY CHECK (id = 1), node_name TEXT NOT NULL, updated_at INTEGER NOT NULL);
    INSERT OR REPLACE INTO _ecto_litefs_primary VALUES (1, '#{name}', 1);
    """)
  end

  @doc "Another primary, announced as LiteFS does."
  def follow(port, path, name) do
    claim(path, name)
    true = Node.connect(name)
    :ok = :app_port.announce(port, @primary_file, state(:replica, to_string(name)))
    World.eventually(fn -> EctoLiteFS.get_primary(Test.Repo) == {:ok, name} end)
  end

  @doc "No primary any more."
  def lose_sight(port) do
    :ok = :app_port.announce(port, @primary_file, state(:unknown, nil))
    World.eventually(fn -> EctoLiteFS.get_primary(Test.Repo) == {:ok, nil} end)
  end

  defp start_primary(:cnode, files, context) do
    cnode = World.cnode(files.primary, Map.get(context, :args, []))
    true = Node.connect(cnode.name)
    of(cnode.name, %{cnode: cnode})
  end

  defp start_primary(:beam, files, _) do
    paths = Enum.flat_map(:code.get_path(), &[~c"-pa", &1])
    {_, name} = :ct_env.peer(%{args: paths})
    true = Node.connect(name)
    {:ok, _} = :erpc.call(name, Application, :ensure_all_started, [:ecto_sqlite3])
    :ok = :erpc.call(name, Test.Case, :start_there, [files.primary])
    of(name, %{})
  end

  defp start_primary(:stand_in, _, _) do
    {_, name} = :ct_env.peer()
    true = Node.connect(name)
    :ok = Test.StandIn.load(name)
    of(name, %{})
  end

  defp start_primary(:here, _, _),
    do: %{name: nil, primary: node(), state: state(:primary, nil)}

  defp start_primary(:none, _, _), do: %{name: nil, primary: nil, state: state(:unknown, nil)}

  defp of(name, more),
    do: Map.merge(more, %{name: name, primary: name, state: state(:replica, to_string(name))})

  # As LiteFS says it: a replica names its primary. (One that knows none goes by what the C nodes say.)
  defp state(role, node), do: :app_port.state(role, %{node: node, hostname: if(role == :replica, do: node)})

  @doc "Runs on a BEAM primary: a Repo that outlives the call."
  def start_there(path) do
    caller = self()

    spawn(fn ->
      {:ok, _} = Test.Repo.start_link(database: path, pool_size: 2)
      send(caller, :started)
      Process.sleep(:infinity)
    end)

    receive do
      :started -> :ok
    end
  end

  @doc """
  Does the same with the Repo that forwards (or another way to the primary) and with one that does not, and
  expects the same: what is returned or raised, and what is in the files then.
  """
  def both(files, fun, way \\ Test.Repo) do
    [there, here] = for repo <- [way, Test.Local], do: outcome(fn -> fun.(repo) end)
    ExUnit.Assertions.assert(plain(way, there) == plain(way, here))

    for table <- ~w(users posts comments devices orders) do
      {table, rows} = {table, World.stored(files.primary, table)}
      ExUnit.Assertions.assert({table, rows} == {table, World.stored(files.local, table)})
    end

    here
  end

  # How a struct is inspected only its schema's module knows: a C node has #Name<...>.
  defp plain(Test.Direct, {:raised, {exception, message}}),
    do: {:raised, {exception, String.replace(message, ~r/[%#]Test\.\w+[{<].*[}>](?=`|\n\n)/s, "a struct")}}

  defp plain(_, outcome), do: outcome

  @doc "What a function returned or raised, without stamps and the Repo's name."
  def outcome(fun) do
    {:returned, scrub(fun.())}
  rescue
    exception -> {:raised, scrub(exception)}
  end

  defp scrub(%{__struct__: Ecto.Changeset} = changeset) do
    changeset |> Map.from_struct() |> Map.merge(%{repo: nil, validations: nil}) |> scrub()
  end

  defp scrub(%{__exception__: true} = exception), do: {exception.__struct__, World.blank(Exception.message(exception))}
  defp scrub(%{__struct__: Ecto.Schema.Metadata} = meta), do: meta
  defp scrub(%{__struct__: s} = struct) when s in [Decimal, Date, Time, NaiveDateTime, DateTime], do: struct
  defp scrub(fun) when is_function(fun), do: :fun
  defp scrub(text) when is_binary(text), do: World.blank(text)
  defp scrub(%{__struct__: name} = struct), do: {name, struct |> Map.from_struct() |> scrub()}

  defp scrub(map) when is_map(map) do
    Map.new(map, fn
      {stamp, value} when stamp in [:inserted_at, :updated_at] -> {stamp, value != nil}
      {key, value} -> {key, scrub(value)}
    end)
  end

  defp scrub(list) when is_list(list), do: Enum.map(list, &scrub/1)
  defp scrub(tuple) when is_tuple(tuple), do: tuple |> Tuple.to_list() |> scrub() |> List.to_tuple()
  defp scrub(value), do: value
end

