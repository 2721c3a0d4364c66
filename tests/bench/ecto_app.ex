# The application with real Ecto that the benchmark runs on a replica and, for EctoLiteFS 1.0, on the primary too. It
# does not know which of the two it runs with: both have the same modules, and the code path decides.

defmodule Bench.User do
  @moduledoc "A row of the table that every line of the benchmark writes to."
  use Ecto.Schema

  schema "users" do
    field :name, :string
    field :email, :string
    timestamps()
  end
end

# A Repo for each setting of `synchronous`.
for name <- [Bench.Normal, Bench.Full] do
  defmodule name do
    use Ecto.Repo, otp_app: :bench, adapter: Ecto.Adapters.SQLite3
    use EctoMiddleware.Repo

    @impl EctoMiddleware.Repo
    def middleware(_action, _resource), do: [EctoLiteFS.Middleware]
  end
end

defmodule Bench.App do
  @moduledoc "Starts a node's Repos, with a stand-in for LiteFS that tells it its role; makes the measured call."

  @pool 5
  @primary_host "bench-primary"

  @doc """
  Starts everything, and returns when each Repo knows its primary. `repos` has for each Repo its setting of `synchronous`
  and, on a replica, the node that is the primary.
  """
  def start(role, dir, repos) do
    caller = self()

    # The calling process is erpc's and ends; what is started here is linked to one that stays.
    {holder, monitor} =
      spawn_monitor(fn ->
        run(role, dir, repos)
        send(caller, {:started, self()})
        Process.sleep(:infinity)
      end)

    receive do
      {:started, ^holder} -> Process.demonitor(monitor, [:flush]) && :ok
      {:DOWN, ^monitor, _, _, reason} -> exit(reason)
    end
  end

  defp run(role, dir, repos) do
    for app <- [:ecto_sqlite3, :ecto_middleware, :ecto_litefs], do: {:ok, _} = Application.ensure_all_started(app)
    litefs = mount(role, dir)

    for {repo, synchronous, primary} <- repos do
      database = Path.join(dir, "#{inspect(repo)}.db")
      {:ok, _} = repo.start_link(database: database, pool_size: @pool, journal_mode: :wal, synchronous: synchronous)
      if role == :replica, do: replicate_row(repo, primary)

      {:ok, _} =
        EctoLiteFS.Supervisor.start_link(
          repo: repo,
          primary_file: :ct_litefs.primary_file(litefs),
          event_stream_url: :ct_litefs.url(litefs)
        )
    end

    for {repo, _, primary} <- repos, do: await(repo, {:ok, primary})
  end

  defp mount(:replica, dir) do
    litefs = :ct_litefs.start(priv_dir: to_charlist(dir))
    :ok = :ct_litefs.file(litefs, ".primary", @primary_host <> "\n")
    told(litefs, {:replica, to_charlist(@primary_host)})
  end

  defp mount(:primary, dir), do: told(:ct_litefs.start(priv_dir: to_charlist(dir)), :primary)

  defp told(litefs, role) do
    :ok = :ct_litefs.greet(litefs, :ct_litefs.init(role))
    :ok = :ct_litefs.info(litefs, role)
    litefs
  end

  # The tracker row of the primary, as LiteFS would have replicated it.
  defp replicate_row(repo, primary) do
    true = Node.connect(primary)

    repo.query!("""
    CREATE TABLE _ecto_litefs_primary
      (id INTEGER PRIMARY KEY CHECK (id = 1), node_name TEXT NOT NULL, updated_at INTEGER NOT NULL)
    """)

    repo.query!("INSERT INTO _ecto_litefs_primary VALUES (1, ?, 1)", [to_string(primary)])
  end

  defp await(repo, primary) do
    :ct_wait.until(fn -> EctoLiteFS.get_primary(repo) == primary end)
  end

  @doc "Runs statements with the Repo as it is on this node."
  def execute(repo, statements) do
    for statement <- statements, do: repo.query!(statement)
    :ok
  end

  @doc "The measured call."
  def insert(repo, name, email) do
    {:ok, %Bench.User{id: id}} = repo.insert(%Bench.User{name: name, email: email})
    true = is_integer(id)
    1
  end
end
