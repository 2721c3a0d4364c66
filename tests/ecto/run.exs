# Runs the suite. It needs a node of its own world: see suite_ecto in tests/support/suites.sh.

Logger.configure(level: :warning)
ExUnit.start(autorun: false, seed: 0, max_cases: 1, timeout: 60_000, capture_log: true)
{:ok, _} = Application.ensure_all_started(:ecto_sqlite3)

dir = hd(System.argv())
config = :ct_env.start(priv_dir: String.to_charlist(dir))
Test.World.keep(config)

versions =
  for app <- ~w(ecto ecto_sql ecto_sqlite3 exqlite db_connection ecto_middleware decimal telemetry jason)a do
    _ = Application.load(app)
    "#{app} #{Application.spec(app, :vsn)}"
  end

IO.puts("Elixir #{System.version()}, OTP #{System.otp_release()}, #{Enum.join(versions, ", ")}")
for file <- Path.wildcard(Path.join(__DIR__, "*_test.exs")), do: Code.require_file(file)
%{failures: failures} = ExUnit.run()
:ct_env.stop(config)
System.halt(min(failures, 1))

