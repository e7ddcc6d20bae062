// embed-shaders OUTPUT FILE...: writes the GLSL files as two Swift dictionaries of string literals,
// `embeddedKernels` (*.comp, keyed by base name) and `embeddedIncludes` (*.glsl, keyed by file name).
import Foundation

func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data("error: embed-shaders: \(message)\n".utf8))
  exit(1)
}

func literal(_ text: String) -> String { "###\"\"\"\n\(text)\n\"\"\"###" }

let arguments = CommandLine.arguments.dropFirst()
guard let output = arguments.first else { fail("usage: embed-shaders OUTPUT FILE...") }

var kernels: [String: String] = [:]
var includes: [String: String] = [:]
for path in arguments.dropFirst() {
  let file = URL(fileURLWithPath: path)
  guard let text = try? String(contentsOf: file, encoding: .utf8) else {
    fail("cannot read \(path) as UTF-8")
  }
  let isKernel = file.pathExtension == "comp"
  let name = isKernel ? file.deletingPathExtension().lastPathComponent : file.lastPathComponent
  guard (isKernel ? kernels[name] : includes[name]) == nil else {
    fail("two shader files are named \(file.lastPathComponent); rename one, kernels are found by base name")
  }
  if isKernel { kernels[name] = text } else { includes[name] = text }
}

var lines = ["// Written by embed-shaders from the files under Shaders/.", ""]
for (table, entries) in [("embeddedKernels", kernels), ("embeddedIncludes", includes)] {
  lines.append("let \(table): [String: String] = [")
  for (name, text) in entries.sorted(by: { $0.key < $1.key }) {
    lines.append("\"\(name)\": \(literal(text)),")
  }
  lines.append(entries.isEmpty ? ":]" : "]")
}
do {
  try lines.joined(separator: "\n").appending("\n").write(toFile: output, atomically: true, encoding: .utf8)
} catch {
  fail("cannot write \(output): \(error)")
}
