# Elixir code that uses the application as its documentation says. Run by app_elixir_SUITE, which compiles
# stand_ins.ex and gives this VM a node name. The port program is the stand-in of the CT suites.

ExUnit.start(autorun: true, seed: 0)
Logger.configure(level: :debug)

defmodule EctoLiteFS.FacadesTest do
  use ExUnit.Case, async: false

  import ExUnit.CaptureLog
  import EctoLiteFS, only: [is_primary?: 1]

  alias EctoLiteFS.Config
  alias EctoLiteFS.Supervisor, as: LiteFSSupervisor
  alias EctoLiteFS.Tracker
  alias MyApp.{OtherRepo, Repo}

  @primary_file "/stand-in/.primary"
  @other_file "/stand-in/other/.primary"

  setup do
    dir = Path.join(System.tmp_dir!(), "ecto_litefs_elixir_#{System.unique_integer([:positive])}")
    File.mkdir_p!(dir)
    port = :app_port.start(String.to_charlist(dir))
    :telemetry.attach()
    on_exit(fn -> File.rm_rf!(dir) end)
    %{port: port}
  end

  defp start(port, state, opts \\ []) do
    :ok = :app_port.announce(port, @primary_file, state)
    start_supervised!(Repo)
    Agent.update(Repo, fn _ -> state.node end)
    start_supervised!({EctoLiteFS.Supervisor, [repo: Repo, primary_file: @primary_file] ++ opts})
    eventually(fn -> EctoLiteFS.tracker_ready?(Repo) end)
  end

  defp state(role, more \\ %{}), do: :app_port.state(role, more)

  defp eventually(fun), do: :ct_wait.until(fun)

  describe "EctoLiteFS.Config" do
    test "is a struct" do
      config = %Config{repo: Repo}
      assert %Config{poll_interval: 30_000, erpc_timeout: 15_000, detection: :port} = config
      assert config == Config.new!(repo: Repo)
      assert %{config | cache_ttl: 1}.cache_ttl == 1
      assert inspect(config) =~ ~r/^%EctoLiteFS.Config\{/
      assert inspect(config) =~ "repo: MyApp.Repo"
    end

    test "needs a repo" do
      assert_raise ArgumentError, "EctoLiteFS.Config requires :repo option", fn ->
        Config.new!([])
      end

      assert_raise ArgumentError, ~r/must also be given/, fn ->
        Code.eval_string("%EctoLiteFS.Config{}")
      end

      assert_raise ArgumentError, "EctoLiteFS.Config :repo must be an atom", fn ->
        Config.new!(repo: "MyApp.Repo")
      end
    end

    test "names the option that is wrong, in Elixir's words" do
      assert_raise ArgumentError,
                   ~s(EctoLiteFS.Config :poll_interval must be a positive integer, got: "1000"),
                   fn -> Config.new!(repo: Repo, poll_interval: "1000") end

      assert_raise ArgumentError,
                   "EctoLiteFS.Config :primary_file must be a non-empty string, got: MyApp.Repo",
                   fn -> Config.new!(repo: Repo, primary_file: Repo) end

      assert_raise ArgumentError, ~r/:table_name must be a valid SQL identifier/, fn ->
        Config.new!(repo: Repo, table_name: "foo; DROP TABLE users; --")
      end
    end

    test "knows no other option" do
      assert_raise KeyError, ~r/key :pol_interval not found in: %EctoLiteFS.Config\{/, fn ->
        Config.new!(repo: Repo, pol_interval: 1)
      end

      assert_raise CompileError,
                   ~r/unknown key :pol_interval for struct EctoLiteFS.Config|not found/,
                   fn ->
                     try do
                       Code.eval_string("%EctoLiteFS.Config{repo: MyApp.Repo, pol_interval: 1}")
                     rescue
                       # Which of the two depends on Elixir's version.
                       e in KeyError -> raise CompileError, description: Exception.message(e)
                     end
                   end
    end

    test "either source can be switched off" do
      assert %Config{poll_interval: false, event_stream_url: false} =
               Config.new!(repo: Repo, poll_interval: false, event_stream_url: false)
    end
  end

  describe "not started" do
    test "functions answer as documented" do
      assert EctoLiteFS.get_primary(Nobody) == {:error, :not_ready}
      refute is_primary?(Nobody)
      refute EctoLiteFS.tracker_ready?(Nobody)

      assert_raise ArgumentError, "no EctoLiteFS tracker registered for Nobody", fn ->
        EctoLiteFS.get_tracker!(Nobody)
      end

      assert_raise ArgumentError, fn -> EctoLiteFS.get_erpc_timeout(Nobody) end
      assert catch_exit(EctoLiteFS.set_primary(Nobody, node()))
    end

    test "a write passes through and says so" do
      log = capture_log(fn -> assert Repo.insert(:user) == {:ok, {:user, node()}} end)
      assert log =~ "EctoLiteFS.Middleware[MyApp.Repo]"
      assert log =~ "passing through"
    end

    test "a bad option raises where it is given" do
      assert_raise ArgumentError, ~r/:cache_ttl must be a positive integer/, fn ->
        LiteFSSupervisor.start_link(repo: Repo, cache_ttl: 0)
      end
    end
  end

  describe "in a supervision tree" do
    test "any number of Repos", %{port: port} do
      :ok = :app_port.announce(port, @primary_file, state(:primary))
      :ok = :app_port.announce(port, @other_file, state(:unknown))

      children = [
        Repo,
        OtherRepo,
        {EctoLiteFS.Supervisor, repo: Repo, primary_file: @primary_file},
        {EctoLiteFS.Supervisor, repo: OtherRepo, primary_file: @other_file, erpc_timeout: 5}
      ]

      {:ok, app} = Supervisor.start_link(children, strategy: :one_for_one)
      eventually(fn -> EctoLiteFS.tracker_ready?(Repo) and EctoLiteFS.tracker_ready?(OtherRepo) end)
      assert is_primary?(Repo)
      refute is_primary?(OtherRepo)
      assert EctoLiteFS.get_primary(Repo) == {:ok, node()}
      assert EctoLiteFS.get_primary(OtherRepo) == {:ok, nil}
      assert EctoLiteFS.get_erpc_timeout(Repo) == 15_000
      assert EctoLiteFS.get_erpc_timeout(OtherRepo) == 5

      assert EctoLiteFS.get_tracker!(Repo) == Process.whereis(Tracker.process_name(Repo))
      assert Process.whereis(LiteFSSupervisor.supervisor_name(Repo))
      assert Process.whereis(EctoLiteFS.Poller.process_name(Repo))

      assert EctoLiteFS.EventStream.process_name(Repo) ==
               :"Elixir.EctoLiteFS.EventStream.MyApp.Repo"

      assert [%{database: "/data/my_app.db"}] = :app_port.configs(port, @primary_file)
      assert %{active: 2} = Supervisor.count_children(LiteFSSupervisor.supervisor_name(Repo))
      Supervisor.stop(app)
      assert EctoLiteFS.get_primary(Repo) == {:error, :not_ready}
    end

    test "the Repo comes after: the row is written when it is there", %{port: port} do
      :ok = :app_port.announce(port, @primary_file, state(:primary))

      start_supervised!({EctoLiteFS.Supervisor, repo: Repo, primary_file: @primary_file})
      eventually(fn -> is_primary?(Repo) end)
      refute EctoLiteFS.tracker_ready?(Repo)
      start_supervised!(Repo)
      eventually(fn -> EctoLiteFS.tracker_ready?(Repo) end)
      assert Agent.get(Repo, & &1) == Atom.to_string(node())
    end
  end

  describe "by hand" do
    test "set_primary, set_replica, invalidate_cache", %{port: port} do
      start(port, state(:primary), cache_ttl: 60_000)
      assert EctoLiteFS.set_primary(Repo, :other@host) == :ok
      assert EctoLiteFS.get_primary(Repo) == {:ok, :other@host}
      assert Agent.get(Repo, & &1) == "other@host"
      refute is_primary?(Repo)

      Agent.update(Repo, fn _ -> Atom.to_string(node()) end)
      assert EctoLiteFS.set_replica(Repo) == :ok
      assert Tracker.get_primary(Repo) == {:ok, node()}

      Agent.update(Repo, fn _ -> nil end)
      assert EctoLiteFS.get_primary(Repo) == {:ok, node()}
      assert EctoLiteFS.invalidate_cache(Repo) == :ok
      assert EctoLiteFS.get_primary(Repo) == {:ok, nil}
      assert Tracker.get_primary(Repo, force: true) == {:ok, nil}
    end
  end

  describe "a Repo with the middleware" do
    test "writes locally on the primary", %{port: port} do
      start(port, state(:primary))
      assert Repo.insert(:user) == {:ok, {:user, node()}}
      refute_received {[:ecto_litefs, :forward, _], _, _}
    end

    test "refuses while no primary is known, and reads on", %{port: port} do
      start(port, state(:unknown))
      assert Repo.insert(:user) == {:error, :primary_unavailable}
      assert Repo.get(:user) == {:user, node()}
    end

    test "forwards to the primary, with telemetry", %{port: port} do
      primary = peer()
      start(port, state(:replica, %{node: Atom.to_string(primary)}))

      assert Repo.insert(:user) == {:ok, {:user, primary}}
      metadata = %{repo: Repo, action: :insert, primary_node: primary}
      assert_received {[:ecto_litefs, :forward, :start], %{system_time: _}, ^metadata}
      assert_received {[:ecto_litefs, :forward, :stop], %{duration: _}, ^metadata}

      error = assert_raise ErlangError, fn -> Repo.insert!(%{invalid: true}) end
      assert {:exception, %MyApp.InvalidError{}, [_ | _]} = error.original
      assert Repo.get(:user) == {:user, node()}
    end

    test "says why a forwarded write failed", %{port: port} do
      start(port, state(:primary))
      :ok = EctoLiteFS.set_primary(Repo, :"fake@127.0.0.1")
      assert Repo.insert(:user) == {:error, {:erpc, :noconnection, :"fake@127.0.0.1"}}

      assert_received {[:ecto_litefs, :forward, :exception], %{duration: _},
                       %{reason: :noconnection}}
    end

    test "hears of a change of the primary", %{port: port} do
      start(port, state(:primary))
      node = node()

      assert_received {[:ecto_litefs, :primary, :change], _,
                       %{repo: Repo, from: nil, to: ^node, role: :primary}}

      :ok = :app_port.announce(port, @primary_file, state(:unknown))

      assert_receive {[:ecto_litefs, :primary, :change], _,
                      %{from: ^node, to: nil, role: :unknown}},
                     5_000
    end
  end

  test "backoff_delay" do
    assert EctoLiteFS.Utils.backoff_delay(2, jitter: 0.0) == 400
    assert EctoLiteFS.Utils.backoff_delay(0) in 100..150
  end

  test "what Elixir's tools ask" do
    for module <- [EctoLiteFS, EctoLiteFS.Supervisor, EctoLiteFS.Middleware, Tracker, Config] do
      assert module.__info__(:module) == module
      assert [_ | _] = module.__info__(:functions)
      assert module.__info__(:macros) == []
    end

    assert function_exported?(EctoLiteFS.Middleware, :process, 2)
  end

  defp peer do
    paths = Enum.flat_map(:code.get_path(), &[~c"-pa", &1])

    {:ok, pid, name} =
      :peer.start_link(%{
        name: :peer.random_name(),
        host: ~c"127.0.0.1",
        longnames: true,
        connection: :standard_io,
        args: [~c"-setcookie", Atom.to_charlist(Node.get_cookie()) | paths]
      })

    on_exit(fn -> Process.exit(pid, :kill) end)
    assert Node.connect(name)
    name
  end
end
