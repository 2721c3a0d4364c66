# Consolidates the protocols on the code path, as every release does: elixir ecto_consolidate.exs FOLDER

[to] = System.argv()
paths = :code.get_path()

for protocol <- Protocol.extract_protocols(paths) do
  implementations = Protocol.extract_impls(protocol, paths)
  {:ok, binary} = Protocol.consolidate(protocol, implementations)
  File.write!(Path.join(to, "#{protocol}.beam"), binary)
end
