# on_primary and transaction: whole blocks, what rolls them back, and when.

defmodule Test.BlocksTest do
  use Test.Case, async: false
  import Bitwise
  alias Ecto.Multi

  defp posts(files), do: shell(files.primary, "SELECT group_concat(title) FROM posts")
  defp add(title), do: Repo.insert!(%Post{title: title})

  # Nobody holds the writer: another write goes through at once, not at a deadline.
  defp assert_free do
    started = System.monotonic_time(:millisecond)
    assert {:ok, _} = Repo.insert(%User{name: "next"})
    assert System.monotonic_time(:millisecond) - started < 2_000
  end

  describe "on_primary" do
    test "reads see what is on the primary", %{files: files} do
      shell(files.primary, "INSERT INTO posts (title) VALUES ('there')")
      shell(files.replica, "INSERT INTO posts (title) VALUES ('here')")
      read = fn -> Repo.all(from(p in Post, select: p.title)) end
      assert EctoLiteFS.on_primary(Repo, read) == ["there"]
      assert read.() == ["here"]
    end

    test "returns, raises, throws and exits as the fun does" do
      assert EctoLiteFS.on_primary(Repo, fn -> :it end) == :it

      assert_raise ArgumentError, "mine", fn ->
        EctoLiteFS.on_primary(Repo, fn -> raise ArgumentError, "mine" end)
      end

      assert catch_throw(EctoLiteFS.on_primary(Repo, fn -> throw(:up) end)) == :up
      assert catch_exit(EctoLiteFS.on_primary(Repo, fn -> exit(:out) end)) == :out
      assert Repo.get_dynamic_repo() == Repo
    end

    test "nests, and holds Repo.transaction", %{files: files} do
      EctoLiteFS.on_primary(Repo, fn ->
        {:ok, _} = Repo.transaction(fn -> EctoLiteFS.on_primary(Repo, fn -> add("in") end) end)
        {:error, :no} = Repo.transaction(fn -> add("undone") && Repo.rollback(:no) end)
        assert Repo.aggregate(Post, :count) == 1
      end)

      assert posts(files) == "in\n"
    end

    test "another instance of the Repo is put back", %{files: files} do
      {:ok, other} = Repo.start_link(name: nil, database: files.local, pool_size: 1)
      Repo.put_dynamic_repo(other)
      add("forwarded")
      assert Repo.get_dynamic_repo() == other
      assert posts(files) == "forwarded\n"
      Repo.put_dynamic_repo(Repo)
    end
  end

  describe "transaction" do
    test "commits; what it writes is seen inside, and by others afterwards", %{files: files} do
      assert {:ok, 2} =
               EctoLiteFS.transaction(Repo, fn ->
                 add("a")
                 {1, nil} = Repo.insert_all(Post, [%{title: "b"}])
                 assert shell(files.primary, "SELECT count(*) FROM posts") == "0\n"
                 assert Repo.in_transaction?()
                 Repo.aggregate(Post, :count)
               end)

      assert posts(files) == "a,b\n"
      refute Repo.in_transaction?()
    end

    test "takes the Repo where the fun wants it" do
      assert {:ok, Repo} = EctoLiteFS.transaction(Repo, fn repo -> repo end)
    end

    test "is one begin, one commit, and a round trip for each statement" do
      parent = self()
      note = fn _, _, meta, _ -> self() == parent && send(parent, meta.query) end
      :telemetry.attach(:count, [:test, :repo, :query], note, nil)
      EctoLiteFS.transaction(Repo, fn -> add("a") end)
      :telemetry.detach(:count)
      assert ["begin", "INSERT" <> _, "commit"] = flush()
    end

    test "an Ecto.Multi", %{files: files} do
      multi =
        Multi.new()
        |> Multi.insert(:user, User.changeset(%User{}, %{name: "A", email: "a@b"}))
        |> Multi.insert(:post, fn %{user: user} -> %Post{title: "first", user_id: user.id} end)
        |> Multi.run(:count, fn repo, _ -> {:ok, repo.aggregate(Post, :count)} end)
        |> Multi.update_all(:all, Post, set: [title: "changed"])

      assert {:ok, %{user: %User{id: 1}, post: %Post{user_id: 1}, count: 1, all: {1, nil}}} =
               EctoLiteFS.transaction(Repo, multi)

      assert posts(files) == "changed\n"

      again =
        Multi.insert(
          Multi.delete_all(Multi.new(), :gone, Post),
          :user,
          User.changeset(%User{}, %{name: "B", email: "a@b"})
        )

      assert {:error, :user, %Ecto.Changeset{errors: [email: _]}, %{gone: {1, nil}}} =
               EctoLiteFS.transaction(Repo, again)

      assert posts(files) == "changed\n"
    end

    test "inside another: one transaction, which the inner one can spoil", %{files: files} do
      assert {:ok, {:ok, _}} =
               EctoLiteFS.transaction(Repo, fn ->
                 add("1") && EctoLiteFS.transaction(Repo, fn -> add("2") end)
               end)

      assert posts(files) == "1,2\n"

      assert {:error, :rollback} =
               EctoLiteFS.transaction(Repo, fn ->
                 add("3")
                 {:error, :inner} = Repo.transaction(fn -> Repo.rollback(:inner) end)
               end)

      assert posts(files) == "1,2\n"
    end

    test "savepoints", %{files: files} do
      EctoLiteFS.on_primary(Repo, fn ->
        %{pid: pool} = Ecto.Adapter.lookup_meta(Repo.get_dynamic_repo())
        sql = fn conn, sql -> DBConnection.execute!(conn, Exqlite.Query.build(statement: sql), []) end

        DBConnection.run(
          pool,
          fn conn ->
            {:ok, _} = call(conn, :handle_begin, [])
            sql.(conn, "INSERT INTO posts (title) VALUES ('kept')")
            {:ok, _} = call(conn, :handle_begin, mode: :savepoint)
            sql.(conn, "INSERT INTO posts (title) VALUES ('undone')")
            {:ok, _} = call(conn, :handle_rollback, mode: :savepoint)
            {:ok, _} = call(conn, :handle_begin, mode: :savepoint)
            sql.(conn, "INSERT INTO posts (title) VALUES ('kept too')")
            {:ok, _} = call(conn, :handle_commit, mode: :savepoint)
            assert DBConnection.status(conn, pool: :ecto_litefs_pool) == :transaction
            {:ok, _} = call(conn, :handle_commit, [])
            assert DBConnection.status(conn, pool: :ecto_litefs_pool) == :idle
          end,
          pool: :ecto_litefs_pool
        )
      end)

      assert posts(files) == "kept,kept too\n"
    end

    test "a stream in it", %{files: files} do
      shell(files.primary, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
                            INSERT INTO posts (title) SELECT i FROM n")

      sum = fn repo ->
        Post
        |> order_by(:id)
        |> repo.stream(max_rows: 100)
        |> Stream.map(&String.to_integer(&1.title))
        |> Enum.sum()
      end

      assert {:ok, 761_995} = EctoLiteFS.transaction(Repo, sum)
      assert {:ok, [%Post{id: 1}]} = EctoLiteFS.transaction(Repo, fn -> Enum.take(Repo.stream(Post), 1) end)
    end
  end

  describe "rolls back at once" do
    test "a rollback", %{files: files} do
      assert {:error, :why} = EctoLiteFS.transaction(Repo, fn -> add("x") && Repo.rollback(:why) end)
      assert posts(files) == "\n"
      assert_free()
    end

    test "a raise, with its own type", %{files: files} do
      assert_raise File.Error, fn -> EctoLiteFS.transaction(Repo, fn -> add("x") && File.read!("/none") end) end

      assert_raise Ecto.StaleEntryError, fn ->
        EctoLiteFS.transaction(Repo, fn ->
          add("x") && Repo.delete!(%Post{id: 99} |> Ecto.put_meta(state: :loaded))
        end)
      end

      assert posts(files) == "\n"
      assert_free()
    end

    test "a throw and an exit", %{files: files} do
      assert catch_throw(EctoLiteFS.transaction(Repo, fn -> add("x") && throw(:up) end)) == :up
      assert catch_exit(EctoLiteFS.transaction(Repo, fn -> add("x") && exit(:out) end)) == :out
      assert posts(files) == "\n"
      assert_free()
    end

    test "a caller that is killed", %{files: files} do
      parent = self()

      pid =
        spawn(fn ->
          EctoLiteFS.transaction(Repo, fn ->
            add("x")
            send(parent, :written)
            Process.sleep(:infinity)
          end)
        end)

      assert_receive :written, 5_000
      Process.exit(pid, :kill)
      assert_free()
      assert posts(files) == "\n"
    end

    @tag args: ~w(--tx-idle-timeout 200)
    test "an idle one, at its deadline", %{files: files} do
      error =
        assert_raise DBConnection.ConnectionError, fn ->
          EctoLiteFS.transaction(Repo, fn ->
            add("x")
            assert_free_elsewhere()
            add("y")
          end)
        end

      assert error.message =~ "idle deadline"
      assert posts(files) == "\n"
      assert_free()
    end

    test "the total deadline, by option", %{files: files} do
      assert_raise DBConnection.ConnectionError, ~r/total deadline/, fn ->
        EctoLiteFS.transaction(Repo, fn -> add("x") && assert_free_elsewhere() && add("y") end,
          total_timeout: 200
        )
      end

      assert posts(files) == "\n"
    end
  end

  describe "as on a local Repo" do
    for {name, sql} <- [
          deferred: "INSERT INTO late (user_id) VALUES (99)",
          syntax: "SELEKT 1",
          check: "INSERT INTO users (name, age, inserted_at, updated_at) VALUES ('a', -1, '', '')"
        ] do
      test "#{name}: an error of a transaction's SQL", %{files: files} do
        both(files, fn repo ->
          transaction(repo, fn ->
            repo.insert!(%User{name: "with it"})
            repo.query!(unquote(sql))
          end)
        end)

        assert_free()
      end
    end

    test "a statement that fails leaves the others", %{files: files} do
      assert {:returned, {:ok, _}} =
               both(files, fn repo ->
                 transaction(repo, fn ->
                   repo.insert!(User.changeset(%User{}, %{name: "a", email: "e"}))
                   {:error, _} = repo.insert(User.changeset(%User{}, %{name: "b", email: "e"}))
                   {:error, %Exqlite.Error{}} = repo.query("INSERT INTO users (name) VALUES (NULL)")
                   repo.insert!(%User{name: "c"})
                 end)
               end)
    end

    test "raw SQL: results and parameters", %{files: files} do
      for {sql, params} <- [
            {"SELECT ?, ?, ?, ?, ?, ?", [1, 2.5, "ü", nil, {:blob, <<0, 255>>}, ["io", ?d, "ata"]]},
            {"SELECT typeof(?), typeof(?), ?", [true, :atom, false]},
            {"SELECT ?, ?, ?, ?",
             [~D[2026-01-02], ~T[01:02:03.5], ~N[2026-01-02 03:04:05], ~U[2026-01-02 03:04:05Z]]},
            {"SELECT :a, @b, $c", %{":a" => 1, :"@b" => "x", ~c"$c" => nil}},
            {"INSERT INTO posts (title) VALUES ('t')", []},
            {"INSERT INTO posts (title) VALUES ('t') RETURNING id, title", []},
            {"UPDATE posts SET title = 'u'", []},
            {"DELETE FROM posts WHERE id > 99", []},
            {"CREATE TABLE made (x)", []},
            {"SELECT 1 WHERE 0", []},
            {"SELECT 'a' || x'00' || 'b'", []},
            {"SELECT 1", nil}
          ] do
        assert {:returned, {:ok, _}} =
                 both(files, fn repo -> block(repo, fn -> repo.query(sql, params) end) end)
      end
    end

    test "raw SQL that is refused", %{files: files} do
      bad = [
        {"SELECT ?", [self()]},
        {"SELECT ?", []},
        {"SELECT ?", [1 <<< 64]},
        {"SELECT ?", [%URI{}]},
        {"SELECT", []}
      ]

      for {sql, params} <- bad, repo <- [Repo, Local] do
        assert {^repo, {:error, %Exqlite.Error{statement: ^sql}}} =
                 {repo, block(repo, fn -> repo.query(sql, params) end)}
      end

      assert {:error, %Exqlite.Error{message: message}} =
               block(Repo, fn -> Repo.query("ATTACH '#{files.local}' AS other") end)

      assert message =~ "ATTACH"
    end

    test "Exqlite's type extensions", %{files: files} do
      Application.put_env(:exqlite, :type_extensions, [Test.BlocksTest.Range])
      on_exit(fn -> Application.delete_env(:exqlite, :type_extensions) end)

      for value <- [1..3, "text", true, ~D[2026-01-02]] do
        assert {:returned, {:ok, _}} =
                 both(files, fn repo -> block(repo, fn -> repo.query("SELECT typeof(?1), ?1", [value]) end) end)
      end

      assert {:returned, {:error, _}} =
               both(files, fn repo -> block(repo, fn -> repo.query("SELECT ?", [3..1//-1]) end) end)
    end
  end

  defmodule Range do
    @behaviour Exqlite.TypeExtension
    def convert(first..last//1), do: {:ok, "#{first}-#{last}"}
    def convert(_.._//_), do: {:error, :backwards}
    def convert(_), do: nil
  end

  defp transaction(Repo, fun), do: EctoLiteFS.transaction(Repo, fun)
  defp transaction(repo, fun), do: repo.transaction(fun)

  defp block(Repo, fun), do: EctoLiteFS.on_primary(Repo, fun)
  defp block(_, fun), do: fun.()

  defp call(conn, fun, opts) do
    %{pool_ref: ref} = conn
    {:ok, result, _} = DBConnection.Holder.handle(ref, fun, [], opts)
    {:ok, result}
  end

  # The writer is free for somebody else, who waited for it.
  defp assert_free_elsewhere do
    Task.await(Task.async(fn -> Repo.insert!(%User{name: "elsewhere"}) end), 10_000)
  end

  defp flush do
    receive do
      message -> [message | flush()]
    after
      0 -> []
    end
  end
end

