# What E2E_REPO=ecto runs in the place of the stand-ins: the application's Repo with real Ecto and EctoMiddleware. On the
# primary it writes with exqlite, into the file that the C node has open too.

defmodule E2e.Row do
  @moduledoc "A row that a writer writes: unique by its key."
  use Ecto.Schema

  schema "rows" do
    field :key, :string
  end
end

defmodule E2e.Repo do
  @moduledoc "The application's Repo, all of whose writes go through the middleware."
  use Ecto.Repo, otp_app: :ecto_litefs_e2e, adapter: Ecto.Adapters.SQLite3
  use EctoMiddleware.Repo

  @impl EctoMiddleware.Repo
  def middleware(_action, _resource), do: [EctoLiteFS.Middleware]

  @impl Ecto.Repo
  def init(_context, config) do
    {:ok, Keyword.merge(config, database: :e2e_app.database(), pool_size: 5, journal_mode: :wal, log: false)}
  end

  @doc "Before `EctoLiteFS.Supervisor`, which then starts the remote repo by itself."
  def start do
    for app <- [:ecto_sqlite3, :ecto_middleware], do: {:ok, _} = Application.ensure_all_started(app)
    {:ok, _} = start_link()
    :ok
  end
end
