# Stand-ins for what an Elixir application brings along, and an application that uses it. None of it is Ecto,
# EctoMiddleware or telemetry: only the functions that the application under test calls, and enough of a
# Repo to call it as EctoMiddleware does.

defmodule EctoMiddleware.Resolution do
  @moduledoc "A stand-in."
  defstruct [:repo, :action, :args, :entity, middleware: [], private: %{}]

  def get_private(%__MODULE__{private: private}, key), do: Map.get(private, key)

  def put_private(%__MODULE__{private: private} = resolution, key, value),
    do: %{resolution | private: Map.put(private, key, value)}
end

defmodule EctoMiddleware.Engine do
  @moduledoc "A stand-in."
  alias EctoMiddleware.Resolution

  def yield(resource, %Resolution{middleware: []} = resolution),
    do: {resolution.private.__super__.(resource, resolution), resolution}

  def yield(resource, %Resolution{middleware: [next | rest]} = resolution) do
    resolution = %{resolution | middleware: rest}
    {next.process(resource, resolution), resolution}
  end
end

defmodule EctoMiddleware.Repo do
  @moduledoc "A stand-in: wraps the functions below the way EctoMiddleware wraps a Repo's."
  @callback middleware(atom(), term()) :: [module()]

  defmacro __using__(_) do
    quote do
      @behaviour EctoMiddleware.Repo

      def insert(resource, opts \\ []), do: run(:insert, resource, opts, &__insert__/2)
      def insert!(resource, opts \\ []), do: run(:insert!, resource, opts, &__insert__!/2)
      def get(resource, opts \\ []), do: run(:get, resource, opts, &__get__/2)

      defp __insert__(resource, _opts), do: {:ok, {resource, node()}}
      defp __insert__!(%{invalid: true}, _opts), do: raise(MyApp.InvalidError)
      defp __insert__!(resource, _opts), do: {resource, node()}
      defp __get__(resource, _opts), do: {resource, node()}

      defp run(action, resource, opts, fun) do
        resolution = %EctoMiddleware.Resolution{
          repo: __MODULE__,
          action: action,
          args: [resource, opts],
          entity: resource,
          middleware: middleware(action, resource),
          private: %{__super__: fn resource, _resolution -> fun.(resource, opts) end}
        }

        {result, _} = EctoMiddleware.Engine.yield(resource, resolution)
        result
      end
    end
  end
end

defmodule Ecto.Adapters.SQL do
  @moduledoc "A stand-in: a Repo's database is one tracker row in an Agent of the Repo's name."
  def query(repo, "CREATE TABLE IF NOT EXISTS " <> _, []) do
    answer(repo, fn row -> {%{rows: nil}, row} end)
  end

  def query(repo, "SELECT node_name FROM " <> _, []) do
    answer(repo, fn
      nil -> {%{rows: []}, nil}
      name -> {%{rows: [[name]]}, name}
    end)
  end

  def query(repo, "INSERT OR REPLACE INTO " <> _, [name, _seconds]) do
    answer(repo, fn _ -> {%{rows: nil}, name} end)
  end

  def query(repo, "INSERT OR REPLACE INTO " <> _, [name, _seconds, old]) do
    answer(repo, fn
      ^old -> {%{rows: [[1]]}, name}
      other -> {%{rows: []}, other}
    end)
  end

  defp answer(repo, fun) do
    {:ok, Agent.get_and_update(repo, fun)}
  catch
    :exit, _ -> raise DBConnection.ConnectionError
  end
end

defmodule DBConnection.ConnectionError do
  defexception message: "the stand-in's Repo is not started"
end

defmodule :telemetry do
  @moduledoc "A stand-in: every event goes to the process that attached itself last."
  def attach, do: Process.register(self(), :telemetry_stand_in)

  def execute(event, measurements, metadata) do
    if pid = Process.whereis(:telemetry_stand_in), do: send(pid, {event, measurements, metadata})
    :ok
  end
end

defmodule MyApp.InvalidError do
  defexception message: "invalid"
end

defmodule MyApp.Repo do
  use EctoMiddleware.Repo

  @impl EctoMiddleware.Repo
  def middleware(_action, _resource), do: [EctoLiteFS.Middleware]

  def child_spec(_), do: %{id: __MODULE__, start: {__MODULE__, :start_link, []}}
  def start_link, do: Agent.start_link(fn -> nil end, name: __MODULE__)
  def __adapter__, do: Ecto.Adapters.SQLite3
  def config, do: [database: "/data/my_app.db"]
end

defmodule MyApp.OtherRepo do
  def child_spec(_), do: %{id: __MODULE__, start: {__MODULE__, :start_link, []}}
  def start_link, do: Agent.start_link(fn -> nil end, name: __MODULE__)
  def __adapter__, do: Ecto.Adapters.SQLite3
  def config, do: [database: "/data/other.db"]
end
