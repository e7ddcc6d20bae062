import ArgumentParser
import Foundation
import Hekla
import HeklaExperiments

/// `hekla devices`.
struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "Lists the devices of this machine, and says what is missing for others.",
    discussion: """
      The names in the first column are what --device takes. Software drivers run shaders on the processor; \
      they are used only when named, never by --device auto.
      """)

  @Flag(help: "Print a JSON array instead: one object per device, with its capabilities or its problem.")
  var json = false

  func run() throws {
    let entries = DeviceSelection.available()
    print(json ? try Self.document(of: entries).indented : Self.text(of: entries, for: .standardOutput))
  }

  /// The table of what is there, then a paragraph for each thing that is missing.
  static func text(of entries: [DeviceSelection.Entry], for terminal: Terminal) -> String {
    var table = TextTable(["device", "hardware", "kind", "memory", "driver"])
    var problems: [String] = []
    for entry in entries {
      if let capabilities = entry.capabilities {
        table.add([
          entry.name, capabilities.deviceName, capabilities.kind.rawValue,
          memory(capabilities.memoryByteCount), capabilities.driver,
        ])
      }
      if let problem = entry.problem {
        problems.append(terminal.styled("\(entry.name): ", .yellow) + "\(problem)")
      }
    }
    let found = table.isEmpty ? "No devices were found." : table.text()
    return ([found] + problems).joined(separator: "\n\n")
  }

  /// The same as JSON.
  static func document(of entries: [DeviceSelection.Entry]) throws -> JSONValue {
    .array(
      try entries.map { entry in
        .object([
          .init("name", .text(entry.name)),
          .init("capabilities", try entry.capabilities.map { try JSONValue(encoding: $0) } ?? .null),
          .init("problem", entry.problem.map { .text("\($0)") } ?? .null),
        ])
      })
  }

  private static func memory(_ byteCount: Int) -> String {
    byteCount > 0 ? String(format: "%.1f GiB", Double(byteCount) / 0x1p30) : "-"
  }
}

extension Terminal {
  /// What standard output can show.
  static var standardOutput: Terminal { Terminal(descriptor: STDOUT_FILENO) }
}
