# Repo calls that a C node does by itself, as Erlang and C clients make them: compared with a local Repo.

defmodule Test.CNodeTest do
  use Test.Case, async: false
  alias Test.{Address, Line, Note, Order}

  defp calls(files, fun), do: both(files, fun, Direct)

  defp uuid(n), do: "00000000-0000-4000-8000-00000000000#{n}"

  defp line do
    %Line{
      id: uuid(1),
      what: "Tea \"ü\"",
      price: Decimal.new("12.50"),
      weight: 0.25,
      kind: :goods,
      state: :paid,
      gift: true,
      due: ~D[2026-12-24],
      cut_off: ~T[12:00:00.000001],
      paid_at: ~N[2026-11-24 21:12:51.123456],
      more: %{"a" => [1, nil, 2.5], b: :c},
      sizes: [1, 2],
      rates: %{"x" => 1.5},
      tracking: uuid(7),
      note: %Note{text: "n", at: ~U[2026-11-24 21:12:51Z]},
      notes: [%Note{text: "1"}, %Note{text: "2"}]
    }
  end

  defp order(more \\ %{}) do
    struct(%Order{name: "A", address: %Address{id: uuid(2), street: "High"}, lines: [line(), %Line{}]}, more)
  end

  defp loaded(order), do: Ecto.put_meta(order, state: :loaded)

  # No C node knows a type of the application's own.
  @full Map.delete(User.every_field(), :motto)

  defp user(params), do: User.changeset(%User{}, Map.merge(%{name: "Bob"}, params))
  defp bob(id \\ 50), do: Ecto.put_meta(%User{id: id, name: "Bob", posts: []}, state: :loaded)
  defp change(params, id \\ 50), do: User.changeset(bob(id), params)

  # One after the other, each on what the ones before have left.
  test "calls without embedded schemas", %{files: files} do
    nils = Map.new(@full, fn {key, _} -> {key, nil} end) |> Map.put(:name, "none")
    upsert = [conflict_target: :email, returning: [:id, :name]]
    row = %{name: "r", email: "ann@example.com", role: :member, inserted_at: ~U[2026-11-24 21:12:51.000000Z],
            updated_at: ~U[2026-11-24 21:12:51.000000Z]}

    for call <- [
          & &1.insert(user(@full)),
          & &1.insert(user(@full)),
          & &1.insert!(user(@full)),
          & &1.insert(user(%{age: -1})),
          & &1.insert(user(%{name: nil})),
          & &1.insert!(user(%{name: nil})),
          & &1.insert(%User{name: "bare", email: "ann@example.com"}),
          & &1.insert(%User{}),
          & &1.insert(%User{name: "A", active: false, serial: 7, tags: [], prefs: %{}, token: ""}),
          & &1.insert(%User{name: 1}),
          & &1.insert(%User{name: "A", role: :none}),
          & &1.insert(%User{name: "A", seen: ~U[2026-11-24 21:12:51.5Z]}),
          & &1.insert(user(@full), on_conflict: :nothing),
          & &1.insert(user(@full), [on_conflict: :nothing] ++ upsert),
          & &1.insert(user(@full), [on_conflict: :replace_all] ++ upsert),
          & &1.insert(user(%{@full | name: "R"}), [on_conflict: {:replace, [:name]}] ++ upsert),
          & &1.insert(user(%{@full | name: "E"}), [on_conflict: {:replace_all_except, [:id, :age]}] ++ upsert),
          & &1.insert(user(@full), [on_conflict: [set: [name: "S"], inc: [age: 2]]] ++ upsert),
          & &1.insert(user(@full), [on_conflict: [set: [seen: ~U[2026-11-24 21:12:51.123456Z], age: "7"]]] ++ upsert),
          & &1.insert(user(@full), [on_conflict: [set: [device: "ABCDEF00-0000-4000-8000-000000000001"]]] ++ upsert),
          & &1.insert(user(@full), [on_conflict: [set: [role: "admin", born: ~D[2000-02-29]], inc: [score: 1]]] ++ upsert),
          & &1.insert(user(@full), [on_conflict: [set: [prefs: %{"a" => 1}, tags: ["t"], active: "true"]]] ++ upsert),
          & &1.insert(user(@full), on_conflict: {:replace, [:name]}),
          & &1.insert(%User{name: "N"}, on_conflict: :nothing, conflict_target: nil),
          & &1.insert(%User{name: "D", prefs: ~D[2026-01-02]}),
          & &1.insert(user(%{email: "b@x"}), returning: [:id, :prefs, :tags, :role, :former]),
          & &1.insert(%User{id: 50, name: "Bob"}),
          & &1.update(change(%{name: "New", age: 3})),
          & &1.update(change(%{age: -3})),
          & &1.update!(change(%{age: -3})),
          & &1.update(change(@full)),
          & &1.update(User.changeset(struct(bob(), @full), nils)),
          & &1.update(change(%{})),
          & &1.update(change(%{}), force: true),
          & &1.update(change(%{nick: "n"}), returning: [:nick, :score, :balance, :born, :seen, :level, :token]),
          & &1.update(change(%{name: "x"}, 99)),
          & &1.update(change(%{name: "x"}, 99), stale_error_field: :id),
          & &1.update(change(%{name: "x"}, 99), stale_error_field: :id, stale_error_message: "gone"),
          & &1.update(change(%{name: "x"}, 99), allow_stale: true),
          & &1.update(change(%{name: "x"}, nil)),
          & &1.update(bob()),
          & &1.insert_or_update(user(%{name: "iu"})),
          & &1.insert_or_update(change(%{name: "iu"})),
          & &1.insert_or_update!(change(%{name: nil})),
          & &1.insert_or_update(bob()),
          & &1.insert_or_update(change(%{name: "x"}, 99), on_conflict: :nothing),
          & &1.insert_or_update(change(%{name: "x"}, 99), on_conflict: :nothing, stale_error_field: :id),
          & &1.insert!(%User{id: 51, name: "Z"}),
          & &1.insert(%Post{title: "t", user_id: 50}),
          & &1.insert(Post.changeset(%Post{}, %{title: "t", user_id: 50})),
          & &1.insert(%Comment{body: "c", post_id: 1}),
          & &1.delete(Ecto.put_meta(%Post{id: 1}, state: :loaded)),
          & &1.delete(bob(99)),
          & &1.delete(bob(99), stale_error_field: :id),
          & &1.delete(bob(99), allow_stale: true),
          & &1.delete(bob(nil)),
          & &1.delete!(bob(51)),
          & &1.insert_all("posts", [%{title: "a"}, %{title: "b"}]),
          & &1.insert_all("posts", [[title: "c", user_id: nil]], returning: [:id, :title]),
          & &1.insert_all(Post, [%{title: "d"}], returning: true),
          & &1.insert_all(Post, []),
          & &1.insert_all("posts", [%{id: 101, reply_to: 102, title: "x"}, %{id: 102, reply_to: nil, title: "y"}]),
          & &1.insert_all("posts", [%{id: 103, reply_to: 104, title: "x"}, %{id: 105, reply_to: nil, title: "z"}]),
          & &1.insert_all("nowhere", [%{a: 1}]),
          & &1.insert_all(User, [row]),
          & &1.insert_all(User, [row], [on_conflict: {:replace, [:name]}] ++ upsert),
          & &1.insert_all(User, [%{row | email: "n@x"}, %{row | email: nil}], returning: [:email, :serial]),
          & &1.insert_all({"users", User}, [%{row | email: "m@x"}]),
          & &1.insert_all(User, [%{unknown: 1}]),
          & &1.insert(%Device{name: "d"}),
          & &1.insert(%Device{id: uuid(9), name: "d"}),
          & &1.insert_all(Device, [%{name: "d"}]),
          & &1.delete(Ecto.put_meta(%Device{id: uuid(9)}, state: :loaded))
        ] do
      calls(files, call)
    end
  end

  test "a view whose triggers write: SQLite returns a row, and counts no change", %{files: files} do
    ddl = """
    CREATE VIEW names AS SELECT id, body AS name FROM comments;
    CREATE TRIGGER names_insert INSTEAD OF INSERT ON names
      BEGIN INSERT INTO comments (body) VALUES (NEW.name); END;
    """

    for path <- [files.primary, files.local], do: shell(path, ddl)
    name = Ecto.put_meta(%Bare{name: "n", inserted_at: nil, updated_at: nil}, source: "names")
    assert {:raised, {Ecto.StaleEntryError, _}} = calls(files, & &1.insert(name))
    assert {:returned, {:ok, _}} = calls(files, & &1.insert(name, allow_stale: true))
  end

  describe "insert with embedded schemas" do
    test "a struct: ids and stamps are made", %{files: files} do
      assert {:returned, {:ok, {Order, %{id: 1, lines: [{Line, %{id: _}}, {Line, %{id: "UUID", notes: []}}]}}}} =
               calls(files, & &1.insert(order()))

      # Read by the shell: what is stored is JSON, under the names of the file.
      assert shell(files.primary, "SELECT json_extract(all_lines, '$[0].w', '$[0].price', '$[0].state',
                                     '$[0].notes[1].text', '$[1].count') FROM orders") ==
               ~s(["Tea \\"ü\\"","12.50",2,"2",1]\n)

      assert {:returned, {Order, %{address: nil}}} = calls(files, & &1.insert!(%Order{name: "B"}))
      assert {:returned, {Order, _}} = calls(files, & &1.insert!(order(name: "C", address: %Address{}, lines: [])))
    end

    test "a changeset", %{files: files} do
      params = %{
        name: "A",
        address: %{street: "High"},
        lines: [%{what: "x", note: %{text: "n"}, notes: [%{text: "1"}]}, %{count: 3, more: %{a: 1}}]
      }

      assert {:returned, {:ok, {Order, %{lines: [_, {Line, %{count: 3}}]}}}} =
               calls(files, & &1.insert(Order.changeset(%Order{}, params)))

      # Refused by a constraint: the changeset tells it, with the changesets of what is embedded.
      assert {:returned, {:error, %{valid?: false, changes: %{address: %{action: :insert}}}}} =
               calls(files, & &1.insert(Order.changeset(%Order{}, params)))

      # An invalid one inside.
      assert {:returned, {:error, %{valid?: false}}} =
               calls(files, & &1.insert(Order.changeset(%Order{}, %{lines: [%{count: "many"}]})))
    end

    test "a struct that a constraint refuses", %{files: files} do
      calls(files, & &1.insert!(order()))
      constrained = &Ecto.Changeset.unique_constraint(Ecto.Changeset.change(&1), :name)

      assert {:returned, {:error, %{changes: %{lines: [%{action: :insert, data: {Line, _}}, _]}}}} =
               calls(files, & &1.insert(constrained.(order())))
    end

    test "insert_all takes them as they are", %{files: files} do
      rows = [%{name: "A", address: %Address{street: "s"}, lines: [line()]}, %{name: "B", address: nil, lines: []}]
      assert {:returned, {2, nil}} = calls(files, & &1.insert_all(Order, rows))
    end

    test "on_conflict", %{files: files} do
      calls(files, & &1.insert!(order()))
      set = [set: [address: %Address{id: uuid(5), street: "New"}, lines: []]]

      assert {:returned, {:ok, _}} =
               calls(files, & &1.insert(order(), on_conflict: set, conflict_target: :name))

      assert {:returned, {:ok, _}} =
               calls(files, & &1.insert(order(), on_conflict: :replace_all, conflict_target: :name))
    end
  end

  describe "update of embedded schemas" do
    setup %{files: files} do
      calls(files, & &1.insert!(order()))
      id = uuid(8)
      stored = order(id: 1, lines: [line(), %Line{id: id, what: "old"}]) |> loaded()
      {:ok, stored: stored}
    end

    test "changed, added, deleted", %{files: files, stored: stored} do
      params = %{
        address: %{id: uuid(2), street: "Low"},
        lines: [%{id: uuid(1), count: 9, note: nil, notes: [%{text: "3"}]}, %{what: "new"}]
      }

      assert {:returned, {:ok, {Order, %{lines: [{Line, %{count: 9, note: nil}}, {Line, %{what: "new"}}]}}}} =
               calls(files, & &1.update(Order.changeset(stored, params)))

      assert {:returned, {Order, %{address: nil, lines: []}}} =
               calls(files, & &1.update!(Order.changeset(stored, %{address: nil, lines: []})))
    end

    test "replaced", %{files: files, stored: stored} do
      changeset = stored |> Ecto.Changeset.change() |> Ecto.Changeset.put_embed(:address, %Address{street: "x"})
      assert {:returned, {:ok, {Order, %{address: {Address, %{id: "UUID"}}}}}} = calls(files, & &1.update(changeset))
      lines = Ecto.Changeset.put_embed(changeset, :lines, [hd(stored.lines), %Line{what: "y"}])
      assert {:returned, {:ok, _}} = calls(files, & &1.update(lines))
    end

    test "nothing changed; a row that is gone; delete", %{files: files, stored: stored} do
      assert {:returned, {:ok, _}} = calls(files, & &1.update(Order.changeset(stored, %{})))
      gone = %{stored | id: 99}

      assert {:raised, {Ecto.StaleEntryError, _}} =
               calls(files, & &1.update(Order.changeset(gone, %{address: nil})))

      assert {:returned, {:ok, {Order, _}}} = calls(files, & &1.delete(stored))
    end
  end

  describe "returning" do
    @plain %{name: "A", prefs: %{"a" => [1, -2.5, nil, true, %{"b" => "ü\"\\n"}]}, tags: ["x", nil, "y"],
             flags: [true, false], days: [~D[2026-02-28]], counts: %{"n" => 3, "m" => nil}, total: Decimal.new("1.10")}

    test "maps, lists and embedded schemas as they were written", %{files: files} do
      full = struct(order(), @plain)
      assert {:returned, {:ok, {Order, %{lines: [{Line, %{seen: nil}}, _]}}}} = calls(files, & &1.insert(full, returning: true))
      assert {:returned, {:ok, _}} = calls(files, & &1.insert(%Order{name: "B"}, returning: true))
      again = [on_conflict: {:replace, [:total]}, conflict_target: :name, returning: true]
      assert {:returned, {:ok, {Order, %{id: 1, tags: ["x" | _]}}}} = calls(files, & &1.insert(%Order{name: "A"}, again))

      assert {:returned, {2, [{Order, %{address: {Address, %{street: "s"}}}}, _]}} =
               calls(files, fn repo ->
                 rows = [%{name: "C", address: %Address{street: "s"}, lines: [line()]}, %{name: "D", address: nil, lines: []}]
                 repo.insert_all(Order, rows, returning: true)
               end)
    end

    test "lists of anything, lists of maps", %{files: files} do
      things = [true, nil, :a, ["x", [1]], 2.5, ~U[2026-11-24 21:12:51Z], %{"k" => %{b: 1}}]
      for more <- [%{things: things}, %{docs: [%{"a" => 1}, %{b: nil}]}, %{docs: [nil, %{}]}] do
        order = struct(%Order{name: inspect(more)}, more)
        calls(files, & &1.insert(order))
      end
    end

    test "what others have written", %{files: files} do
      again = [on_conflict: {:replace, [:total]}, conflict_target: :name, returning: true]

      for {column, json} <- [
            prefs: ~S({"a":1,"b":{"a":2},"a":3}),
            prefs: ~S({"big":123456789012345678901234567890,"small":-9223372036854775808,"e":1e3,"z":-0.0,"y":-0}),
            prefs: ~S(  {"u":"\u00fc\ud83d\ude00\u0000"} ),
            prefs: ~S({"deep":[[[[[[]]]]]]}),
            prefs: "null",
            tags: ~S(["a",1]),
            tags: ~S({"a":1}),
            flags: ~S([1,0,true,"1","FALSE",null]),
            days: ~S(["2026-01-01",null]),
            days: ~S(["soon"]),
            counts: ~S({"a":"12","b":-1}),
            counts: ~S({"a":1.5}),
            address: ~S({"street":"s","unknown":1}),
            address: ~S({"moved_in":"2026-01-01T10:00:00"}),
            address: ~S({"street":1}),
            address: ~S([]),
            all_lines: ~S([{"w":"x","count":"7","price":1.5,"gift":"true","rates":{"a":1},"sizes":["1"],"note":{}}]),
            all_lines: ~S([{"price":"1E+3","weight":"2.5","paid_at":"2026-11-24 21:12:51","kind":"service","state":1}]),
            all_lines: ~S([{"state":"open"}]),
            all_lines: ~S([{"kind":"none"}]),
            all_lines: ~S([{"notes":[{"text":"t","at":"2026-11-24T21:12:51.5Z"}],"tracking":"A4C5A1E1-6F4C-4C34-9A24-0D7BB7D0A001"}]),
            all_lines: ~S(null),
            all_lines: ~S([1]),
            prefs: ~S([1]),
            prefs: ~S({"a":01}),
            prefs: ~S({"a":"\ud83d"}),
            prefs: ~S(5)
          ] do
        quoted = String.replace(json, "'", "''")
        sql = "DELETE FROM orders; INSERT INTO orders (id, name, #{column}) VALUES (1, 'A', '#{quoted}')"
        for path <- [files.primary, files.local], do: shell(path, sql)
        [there, here] = for way <- [Direct, Local], do: outcome(fn -> way.insert(%Order{name: "A"}, again) end)
        # The texts of exceptions inspect what only the schema's module knows.
        case here do
          {:returned, _} -> assert {json, there} == {json, here}
          {:raised, {exception, _}} -> assert {json, {:raised, {exception, :_}}} == {json, there |> put_elem(1, there |> elem(1) |> put_elem(1, :_))}
        end
      end
    end
  end

  describe "refused, nothing written" do
    test "prepare_changes of an embedded changeset, one key twice", %{files: files} do
      embedded = %Address{} |> Ecto.Changeset.change() |> Ecto.Changeset.prepare_changes(& &1)
      changeset = %Order{} |> Ecto.Changeset.change() |> Ecto.Changeset.put_embed(:address, embedded)
      assert {:error, {:unsupported, "field address: a changeset of " <> _}} = Direct.insert(changeset)

      assert {:error, {:unsupported, "field lines: a changeset of " <> _}} =
               Direct.insert(%Order{lines: [%Line{id: uuid(1)}, %Line{id: uuid(1)}]})

      assert shell(files.primary, "SELECT count(*) FROM orders") == "0\n"
    end
  end
end
