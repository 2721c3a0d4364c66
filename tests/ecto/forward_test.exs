# Which way a write goes, and what comes back when there is none or it fails.

defmodule Test.ForwardTest do
  use Test.Case, async: false
  alias Test.{StandIn, There}

  @remote :"Test.Repo.primary"

  defp count(path), do: path |> shell("SELECT count(*) FROM users") |> String.trim() |> String.to_integer()
  defp add(opts \\ []), do: Repo.insert(%User{name: "A"}, opts)

  defp events(fun) do
    parent = self()
    names = for name <- [:start, :stop, :exception], do: [:ecto_litefs, :forward, name]

    :telemetry.attach_many(
      :events,
      names,
      fn name, _, meta, _ -> send(parent, {List.last(name), meta}) end,
      nil
    )

    try do
      {fun.(), messages()}
    after
      :telemetry.detach(:events)
    end
  end

  defp messages do
    receive do
      message -> [message | messages()]
    after
      0 -> []
    end
  end

  describe "a C node" do
    test "is told by telemetry as any forwarded write", %{name: name} do
      metadata = %{repo: Repo, action: :insert, primary_node: name}
      assert {{:ok, _}, [{:start, ^metadata}, {:stop, ^metadata}]} = events(fn -> add() end)
    end

    test "64 callers share its commits", %{files: files, cnode: cnode} do
      tasks = for _ <- 1..64, do: Task.async(fn -> for _ <- 1..20, do: {:ok, _} = add() end)
      Task.await_many(tasks, 30_000)
      assert count(files.primary) == 1280
      %{repos: repos} = :ct_node.call(cnode, :info, [])
      [%{committed: 1280, transactions: transactions}] = Map.values(repos)
      assert transactions < 640
    end

    test "that does not answer in time: the outcome is unknown", context do
      %{files: files, cnode: cnode, name: name} = context
      assert {:ok, _} = add()
      :ct_node.signal(cnode, ~c"STOP")
      {error, events} = events(fn -> add(timeout: 300) end)
      :ct_node.signal(cnode, ~c"CONT")
      assert error == {:error, {:erpc, :timeout, name}}
      assert [{:start, _}, {:exception, %{reason: :timeout, action: :insert}}] = events
      eventually(fn -> match?({:ok, _}, add()) end)
      assert count(files.primary) in 2..3
    end

    @tag opts: [erpc_timeout: 300]
    test "has erpc_timeout to answer, unless the call says otherwise", %{cnode: cnode, name: name} do
      assert {:ok, _} = add()
      :ct_node.signal(cnode, ~c"STOP")
      assert add() == {:error, {:erpc, :timeout, name}}
      :ct_node.signal(cnode, ~c"CONT")
    end

    @tag opts: [erpc_timeout: 1_000]
    test "that dies", %{cnode: cnode, name: name, files: files} do
      assert {:ok, _} = add()
      :ct_node.signal(cnode, ~c"STOP")
      task = Task.async(fn -> add() end)
      block = Task.async(fn -> EctoLiteFS.transaction(Repo, fn -> add() end) end)
      eventually(fn -> Enum.all?([task, block], &waits?/1) end)
      :ct_node.kill(cnode)
      assert Task.await(task) == {:error, {:erpc, :noconnection, name}}
      # It had not begun.
      assert Task.await(block) == {:error, :primary_unavailable}
      assert add() == {:error, :primary_unavailable}
      assert count(files.primary) == 1
    end

    test "is followed", %{files: files, port: port} do
      assert {:ok, _} = add()
      next = World.cnode(files.local)

      assert {:ok, _} =
               EctoLiteFS.transaction(Repo, fn ->
                 add()
                 follow(port, files.replica, next.name)
                 add()
               end)

      # The transaction stayed where it began.
      assert {count(files.primary), count(files.local)} == {3, 0}
      for _ <- 1..70, do: assert({:ok, _} = add())
      assert {count(files.primary), count(files.local)} == {3, 70}
    end

    @tag opts: [erpc_timeout: 1_000]
    test "that begins a block ends it, whoever is the primary meanwhile", %{files: files, port: port} do
      block = fn ->
        {:ok, _} = add()
        lose_sight(port)
        {:ok, _} = add()
        {:ok, {:ok, _}} = EctoLiteFS.transaction(Repo, fn -> add() end)
      end

      # What it writes is no forward of its own.
      assert {{:ok, _}, []} = events(fn -> EctoLiteFS.transaction(Repo, block) end)
      assert add() == {:error, :primary_unavailable}
      assert count(files.primary) == 3
    end

    test "the instance is supervised", %{files: files} do
      pool = Process.whereis(@remote)
      Process.exit(pool, :kill)
      eventually(fn -> Process.whereis(@remote) not in [pool, nil] && match?({:ok, _}, add()) end)
      assert count(files.primary) == 1
    end

    @tag opts: [pool_size: 3]
    test "the size of the pool", %{} do
      %{pid: pool} = Ecto.Adapter.lookup_meta(@remote)

      eventually(fn ->
        match?([%{ready_conn_count: 3}], DBConnection.get_connection_metrics(pool, pool: :ecto_litefs_pool))
      end)

      assert :ok = Ecto.Adapters.SQL.disconnect_all(%{pid: pool, opts: [pool: :ecto_litefs_pool]}, 0)
      assert {:ok, _} = add()
    end

    @tag opts: [pool_size: 1], config: [queue_target: 1, queue_interval: 10]
    test "who waits for a place is not dropped, however impatient the Repo is with its own file", %{files: files} do
      parent = self()

      holder =
        Task.async(fn ->
          EctoLiteFS.transaction(Repo, fn ->
            send(parent, :held)

            receive do
              :go -> add()
            end
          end)
        end)

      assert_receive :held, 10_000
      waiting = Task.async(fn -> add() end)
      # Fifty of the queue's intervals.
      assert Task.yield(waiting, 500) == nil
      send(holder.pid, :go)
      assert {:ok, {:ok, _}} = Task.await(holder)
      assert {:ok, _} = Task.await(waiting)
      assert count(files.primary) == 2
    end
  end

  defp waits?(%Task{pid: pid}) do
    {:current_stacktrace, trace} = Process.info(pid, :current_stacktrace)
    Enum.any?(trace, &match?({:ecto_litefs_attempt, :wait, _, _}, &1))
  end

  describe "answers of a C node (a stand-in)" do
    @describetag primary: :stand_in

    setup %{name: name} do
      %{pid: pool} = Ecto.Adapter.lookup_meta(@remote)

      eventually(fn ->
        match?([%{ready_conn_count: 256}], DBConnection.get_connection_metrics(pool, pool: :ecto_litefs_pool))
      end)

      # The first call asks what it is.
      {:ok, _} = add()
      StandIn.forget(name)
      :ok
    end

    test "busy", %{name: name} do
      StandIn.answer(name, :query, {:error, :busy})
      assert %Exqlite.Error{message: "Database busy"} = catch_error(add())
      assert StandIn.calls(name) == [:query]
      StandIn.answer(name, :begin, {:error, :busy})
      assert %Exqlite.Error{message: "Database busy"} = catch_error(EctoLiteFS.transaction(Repo, fn -> 1 end))
    end

    @tag opts: [erpc_timeout: 300]
    test "unknown: sent again with its key, until the time is up, then raised", %{name: name} do
      StandIn.answer(name, :query, {:error, {:unknown, "disk I/O error"}})
      error = catch_error(add())
      assert %DBConnection.ConnectionError{reason: {:unknown, "disk I/O error"}} = error
      assert error.message =~ "the outcome is unknown"
      assert error.message =~ "disk I/O error"
      assert Enum.count(StandIn.calls(name), &(&1 == :query)) > 1
      assert [<<_::128>>] = Enum.uniq(for %{key: key} <- StandIn.options(name), do: key)
    end

    @tag opts: [erpc_timeout: 300]
    test "unknown, at the end of a transaction", %{name: name} do
      StandIn.answer(name, :commit, {:error, {:unknown, "why"}})
      StandIn.answer(name, :resolve, {:error, {:not_primary, nil}})

      assert %DBConnection.ConnectionError{message: message} =
               catch_error(EctoLiteFS.transaction(Repo, fn -> add() end))

      assert message =~ "the outcome is unknown"
      assert Enum.filter(StandIn.calls(name), &(&1 in [:commit, :query, :rollback])) == [:query, :commit]
    end

    test "a transaction that is abandoned does not keep the writer", %{name: name} do
      StandIn.answer(name, :query, {:error, {:unknown, "why"}})
      catch_error(EctoLiteFS.transaction(Repo, fn -> add() end))
      eventually(fn -> :rollback in StandIn.calls(name) end)
    end

    @tag opts: [erpc_timeout: 500]
    test "not the primary: nothing was written, when the time is up", %{name: name} do
      StandIn.answer(name, :query, {:error, {:not_primary, nil}})
      {result, [{:start, _}, {:exception, metadata}]} = events(fn -> add() end)
      assert result == {:error, :primary_unavailable}
      assert metadata.reason == :primary_unavailable
      # With growing pauses.
      assert Enum.count(StandIn.calls(name), &(&1 == :query)) in 3..9
    end

    test "not the primary yet", %{name: name} do
      StandIn.answer(name, :query, {:error, {:not_primary, nil}})
      task = Task.async(fn -> add() end)
      eventually(fn -> Enum.count(StandIn.calls(name), &(&1 == :query)) >= 3 end)
      StandIn.answer(name, :query, {:ok, %{columns: ["id"], rows: [[7, 42]], changes: 1}})
      assert {:ok, %User{id: 7}} = Task.await(task)
    end

    @tag opts: [erpc_timeout: 300]
    test "in a transaction too", %{name: name} do
      StandIn.answer(name, :begin, {:error, {:not_primary, nil}})
      assert EctoLiteFS.transaction(Repo, fn -> add() end) == {:error, :primary_unavailable}
      refute :query in StandIn.calls(name)
    end

    test "does not serve this Repo", %{name: name} do
      StandIn.answer(name, :query, {:error, {:unknown_repo, Repo}})
      assert_raise DBConnection.ConnectionError, ~r/does not serve Test.Repo/, fn -> add() end
    end

    test "an error that is not SQLite's", %{name: name} do
      StandIn.answer(name, :query, {:error, %{code: :timeout, message: "too slow"}})
      assert_raise Exqlite.Error, ~r/too slow/, fn -> add() end
      StandIn.answer(name, :query, {:error, {:unsupported, "not here"}})
      assert_raise Exqlite.Error, ~r/not here/, fn -> add() end
    end

    test "a function that it does not have", %{name: name} do
      :erpc.call(name, :persistent_term, :erase, [:query])
      assert_raise Exqlite.Error, ~r"does not take ecto_litefs:query/4: badarg", fn -> add() end
    end

    test "what a node is asked for once", %{name: name} do
      for _ <- 1..3, do: add()
      assert StandIn.calls(name) == [:query, :query, :query]
    end
  end

  describe "a BEAM node as primary" do
    @describetag primary: :beam

    test "gets EctoLiteFS's closure", %{files: files, name: name} do
      assert {{:ok, %User{id: 1}}, [{:start, %{primary_node: ^name}}, {:stop, _}]} = events(fn -> add() end)
      assert {2, nil} = Repo.insert_all(Post, [%{title: "a"}, %{title: "b"}])
      assert count(files.primary) == 1
      assert shell(files.primary, "SELECT group_concat(title) FROM posts") == "a,b\n"

      assert %ErlangError{original: {:exception, %Ecto.StaleEntryError{}, _}} =
               catch_error(Repo.delete(%User{id: 9} |> Ecto.put_meta(state: :loaded)))
    end

    test "runs blocks itself", %{files: files, name: name} do
      assert EctoLiteFS.on_primary(Repo, &There.count/0) == {name, 0}
      assert {:ok, ^name} = EctoLiteFS.transaction(Repo, &There.add_and_say/0)
      assert {:error, :no} = EctoLiteFS.transaction(Repo, &There.add_and_undo/0)
      assert_raise File.Error, fn -> EctoLiteFS.transaction(Repo, &There.add_and_raise/0) end
      assert catch_exit(EctoLiteFS.on_primary(Repo, &There.leave/0)) == :out
      assert catch_throw(EctoLiteFS.on_primary(Repo, &There.toss/0)) == :up
      assert count(files.primary) == 1
    end
  end

  describe "this node as primary" do
    @describetag primary: :here

    test "does all itself", %{files: files} do
      assert {{:ok, _}, []} = events(fn -> add() end)
      assert {:ok, _} = EctoLiteFS.transaction(Repo, fn -> add() end)
      assert EctoLiteFS.on_primary(Repo, fn -> Repo.get_dynamic_repo() end) == Repo
      assert count(files.replica) == 2
    end
  end

  describe "no primary" do
    @describetag primary: :none

    test "is an error, at once", %{files: files} do
      started = System.monotonic_time(:millisecond)
      assert {{:error, :primary_unavailable}, []} = events(fn -> add() end)
      assert EctoLiteFS.transaction(Repo, fn -> flunk("called") end) == {:error, :primary_unavailable}
      assert EctoLiteFS.on_primary(Repo, fn -> flunk("called") end) == {:error, :primary_unavailable}

      Repo.put_dynamic_repo(@remote)
      assert_raise DBConnection.ConnectionError, ~r/no primary is known/, fn -> Repo.all(User) end

      assert_raise DBConnection.ConnectionError, ~r/no primary is known/, fn ->
        Repo.transaction(fn -> 1 end)
      end

      Repo.put_dynamic_repo(Repo)
      assert System.monotonic_time(:millisecond) - started < 2_000
      assert count(files.replica) == 0
    end
  end

  test "no supervisor: everything is local", %{files: files} do
    stop_supervised!({EctoLiteFS.Supervisor, Repo})
    assert {:ok, _} = add()
    assert {:ok, _} = EctoLiteFS.transaction(Repo, fn -> add() end)
    assert EctoLiteFS.on_primary(Repo, fn -> Repo.aggregate(User, :count) end) == 2
    assert count(files.replica) == 2
  end
end

