# Following the primary with all of Ecto: what is repeated, what is settled, what is waited for.

defmodule Test.FollowTest do
  use Test.Case, async: false
  alias Ecto.Multi
  alias Test.StandIn

  @row {:ok, %{columns: ["id"], rows: [[1, 42]], changes: 1, position: {7, 170}}}

  defp count(path, table \\ "users"),
    do: path |> shell("SELECT count(*) FROM #{table}") |> String.trim() |> String.to_integer()

  defp attempting?(%Task{pid: pid}) do
    {:current_stacktrace, trace} = Process.info(pid, :current_stacktrace)
    Enum.any?(trace, &match?({:ecto_litefs_attempt, _, _, _}, &1))
  end

  # The primary is cut off, and another node with the same file takes its place while the call waits.
  defp moved(%{cnode: cnode, files: files, port: port}, call) do
    next = World.cnode(files.primary)
    true = Node.connect(next.name)
    :ct_node.signal(cnode, ~c"STOP")
    task = Task.async(call)
    eventually(fn -> attempting?(task) end)
    follow(port, files.replica, next.name)
    result = Task.await(task, 20_000)
    :ct_node.signal(cnode, ~c"CONT")
    result
  end

  describe "the primary is cut off, and moved" do
    test "insert", context do
      assert {:ok, %User{id: 1}} = moved(context, fn -> Repo.insert(%User{name: "A"}) end)
      assert count(context.files.primary) == 1
    end

    test "insert with associations", context do
      user = %User{name: "A", posts: [%Post{title: "1"}, %Post{title: "2"}]}
      assert {:ok, %User{id: 1, posts: [_, _]}} = moved(context, fn -> Repo.insert(user) end)
      assert {count(context.files.primary), count(context.files.primary, "posts")} == {1, 2}
    end

    test "insert_all, update_all, delete_all", context do
      rows = [%{title: "a"}, %{title: "b"}]
      assert {2, nil} = moved(context, fn -> Repo.insert_all(Post, rows) end)
      assert shell(context.files.primary, "SELECT group_concat(title) FROM posts") == "a,b\n"
    end

    test "an error is Ecto's own", context do
      insert = fn -> Repo.insert(User.changeset(%User{}, %{name: "A", email: "a@b"})) end
      assert {:ok, _} = insert.()
      assert {:error, %Ecto.Changeset{errors: [email: _]}} = moved(context, insert)
    end

    test "a stale entry is one", context do
      assert_raise Ecto.StaleEntryError, fn ->
        moved(context, fn ->
          try do
            Repo.delete(%User{id: 9} |> Ecto.put_meta(state: :loaded))
          rescue
            e in Ecto.StaleEntryError -> {:stale, e}
          end
        end)
        |> then(fn {:stale, e} -> raise e end)
      end
    end

    test "a Multi that had not begun", context do
      multi = Multi.new() |> Multi.insert(:u, %User{name: "A"}) |> Multi.insert(:p, %Post{title: "1"})
      assert {:ok, %{u: %User{id: 1}}} = moved(context, fn -> EctoLiteFS.transaction(Repo, multi) end)
      assert count(context.files.primary) == 1
    end

    test "a block's calls, one by one", context do
      block = fn -> for name <- ["A", "B"], do: Repo.insert!(%User{name: name}) end
      assert [_, _] = moved(context, fn -> EctoLiteFS.on_primary(Repo, block) end)
      assert count(context.files.primary) == 2
    end
  end

  test "a transaction whose node dies is rolled back, and said so; its fun runs once", %{cnode: cnode, files: files} do
    parent = self()

    result =
      EctoLiteFS.transaction(Repo, fn ->
        send(parent, :ran)
        Repo.insert!(%User{name: "A"})
        :ct_node.kill(cnode)
        Repo.insert!(%User{name: "B"})
      end)

    assert result == {:error, :primary_unavailable}
    assert_received :ran
    refute_received :ran
    assert count(files.primary) == 0
  end

  describe "a lost answer to a commit (a stand-in)" do
    @describetag primary: :stand_in

    setup %{name: name} do
      StandIn.answer(name, :query, @row)
      StandIn.answer(name, :commit, {:error, {:unknown, "why"}})
      :ok
    end

    test "committed", %{name: name} do
      StandIn.answer(name, :resolve, {:ok, %{outcome: :committed, position: {9, 170}}})
      assert {:ok, %User{}} = EctoLiteFS.transaction(Repo, fn -> Repo.insert!(%User{name: "A"}) end)
      assert EctoLiteFS.last_position(Repo) == {9, 170}
      # It was asked for with the key that it began with, and sent once.
      assert Enum.count(StandIn.calls(name), &(&1 == :commit)) == 1
      assert [<<_::128>>] = Enum.uniq(for %{key: key} <- StandIn.options(name), do: key)
    end

    test "not committed", %{name: name} do
      assert {:error, :primary_unavailable} =
               EctoLiteFS.transaction(Repo, fn -> Repo.insert!(%User{name: "A"}) end)

      assert :resolve in StandIn.calls(name)
    end

    test "not committed, of a single insert with associations: done anew", %{name: name} do
      user = %User{name: "A", posts: [%Post{title: "1"}]}
      task = Task.async(fn -> Repo.insert(user) end)
      eventually(fn -> Enum.count(StandIn.calls(name), &(&1 == :begin)) >= 2 end)
      StandIn.answer(name, :commit, {:ok, %{position: {9, 170}}})
      assert {:ok, %User{posts: [_]}} = Task.await(task)
    end
  end

  describe "reading your own writes (a stand-in)" do
    @describetag primary: :stand_in

    setup %{name: name} do
      StandIn.answer(name, :query, @row)
      StandIn.answer(name, :commit, {:ok, %{position: {8, 170}}})
      :ok
    end

    defp at(files, txid, checksum) do
      hex = fn n -> n |> Integer.to_string(16) |> String.downcase() |> String.pad_leading(16, "0") end
      # At once, as LiteFS's file changes: who reads meanwhile must not find it empty.
      File.write!(files.replica <> ".new", "#{hex.(txid)}/#{hex.(checksum)}\n")
      File.rename!(files.replica <> ".new", files.replica <> "-pos")
    end

    test "without the option the position is told, and can be waited for", %{files: files} do
      assert EctoLiteFS.last_position(Repo) == nil
      assert {:ok, %User{}} = Repo.insert(%User{name: "A"})
      assert EctoLiteFS.last_position(Repo) == {7, 170}
      assert EctoLiteFS.await(Repo, {7, 170}, 20) == {:error, :timeout}
      at(files, 7, 171)
      assert EctoLiteFS.await(Repo, {7, 170}, 20) == {:error, :diverged}
      at(files, 7, 170)
      assert EctoLiteFS.await(Repo, EctoLiteFS.last_position(Repo), 20) == :ok
      assert Task.await(Task.async(fn -> EctoLiteFS.last_position(Repo) end)) == nil
    end

    @tag opts: [read_your_writes: 50]
    test "with it, a write that is not seen in time is an error with its result", %{files: files} do
      not_yet = %{position: {7, 170}, reason: :timeout}
      assert {:error, {:not_yet_visible, {:ok, %User{id: 1}}, ^not_yet}} = Repo.insert(%User{name: "A"})
      assert {:error, {:not_yet_visible, %User{id: 1}, ^not_yet}} = Repo.insert!(%User{name: "A"})
      block = fn -> Repo.insert!(%User{name: "A"}) end
      assert {:error, {:not_yet_visible, %User{}, ^not_yet}} = EctoLiteFS.on_primary(Repo, block)

      assert {:error, {:not_yet_visible, {:ok, %User{}}, %{position: {8, 170}}}} =
               EctoLiteFS.transaction(Repo, block)

      at(files, 8, 170)
      assert {:ok, %User{}} = Repo.insert(%User{name: "A"})
      assert %User{} = Repo.insert!(%User{name: "A"})
      assert {:ok, %User{}} = EctoLiteFS.transaction(Repo, block)
    end

    @tag opts: [read_your_writes: 50]
    test "what only reads waits for nothing", %{name: name} do
      StandIn.answer(name, :query, {:ok, %{columns: ["count"], rows: [[0]], changes: 0, position: {9, 1}}})
      assert EctoLiteFS.on_primary(Repo, fn -> Repo.aggregate(User, :count) end) == 0
    end

    @tag opts: [read_your_writes: true]
    test "true: for erpc_timeout", %{files: files} do
      task = Task.async(fn -> Repo.insert(%User{name: "A"}) end)
      eventually(fn -> match?({:current_function, {:timer, :sleep, 1}}, Process.info(task.pid, :current_function)) end)
      at(files, 7, 170)
      assert {:ok, %User{}} = Task.await(task)
    end
  end

  # Without LiteFS there are no replicas.
  @tag opts: [ack: {:replicas, 1}]
  test "acknowledgement by replicas: the C node says how many" do
    insert = fn -> Repo.insert(%User{name: "A"}) end
    short = %{acked: 0, wanted: 1}
    assert {:error, {:not_replicated, {:ok, %User{}}, ^short}} = insert.()
    assert {:error, {:not_replicated, {:ok, {:ok, %User{}}}, ^short}} = EctoLiteFS.transaction(Repo, insert)
    assert {:ok, {:ok, %User{}}} = EctoLiteFS.transaction(Repo, insert, ack: :local)
  end

  describe "acknowledgement by replicas (a stand-in)" do
    @describetag primary: :stand_in

    defp acked(n), do: {:ok, Map.put(elem(@row, 1), :acked, n)}

    setup %{name: name} do
      StandIn.answer(name, :query, acked(1))
      StandIn.answer(name, :commit, {:ok, %{position: {8, 170}, acked: 1}})
      :ok
    end

    test "local: nothing is asked for", %{name: name} do
      assert {:ok, _} = Repo.insert(%User{name: "A"})
      assert [options] = StandIn.options(name)
      assert Map.keys(options) == [:key, :timeout]
    end

    @tag opts: [ack: {:replicas, 2}, ack_timeout: 700]
    test "too few is an error with the result", %{name: name} do
      short = %{acked: 1, wanted: 2}
      assert {:error, {:not_replicated, {:ok, %User{id: 1}}, ^short}} = Repo.insert(%User{name: "A"})
      assert {:error, {:not_replicated, %User{id: 1}, ^short}} = Repo.insert!(%User{name: "A"})
      assert %{ack: {:replicas, 2}, ack_timeout: 700} = hd(StandIn.options(name))
      StandIn.answer(name, :query, acked(2))
      assert {:ok, %User{id: 1}} = Repo.insert(%User{name: "A"})

      assert {:error, {:not_replicated, {:ok, _}, ^short}} =
               EctoLiteFS.transaction(Repo, fn -> Repo.insert!(%User{name: "A"}) end)
    end

    test "for one transaction, or one call", %{name: name} do
      StandIn.answer(name, :query, @row)
      insert = fn -> Repo.insert!(%User{name: "A"}) end
      assert {:ok, _} = EctoLiteFS.transaction(Repo, insert, ack: {:replicas, 1})

      assert {:error, {:not_replicated, {:ok, _}, %{acked: 1, wanted: 3}}} =
               EctoLiteFS.transaction(Repo, insert, ack: {:replicas, 3})

      StandIn.answer(name, :query, acked(0))

      assert {:error, {:not_replicated, {:ok, _}, %{acked: 0, wanted: 1}}} =
               Repo.insert(%User{name: "A"}, ack: {:replicas, 1})
    end
  end
end
