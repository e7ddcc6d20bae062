import ArgumentParser
import Foundation
import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaText

/// `devices`, which is the same in every command.
public struct DevicesCommand: ParsableCommand {
  /// Name, help and examples.
  public static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "Lists the devices of this machine, and says what is missing for others.",
    discussion: """
      The names in the first column are what --device takes. Software drivers run shaders on the processor; \
      they are used only when named, never by --device auto.
      """)

  @Flag(help: "Print a JSON array instead: one object per device, with its capabilities or its problem.")
  var json = false

  /// A command with default options.
  public init() {}

  /// Prints the list to standard output.
  public func run() throws {
    let entries = DeviceCatalog.shared.survey()
    print(json ? try Self.document(of: entries).indented : Self.text(of: entries, for: .standardOutput))
  }

  /// The table of what is there, then a paragraph for each thing that is missing.
  public static func text(of entries: [DeviceCatalog.Entry], for terminal: Terminal) -> String {
    var table = TextTable(["device", "hardware", "kind", "driver", "memory", "capabilities"])
    var problems: [String] = []
    for entry in entries {
      if let capabilities = entry.capabilities {
        table.add([
          entry.name, capabilities.deviceName, capabilities.kind.rawValue, capabilities.driver,
          memory(capabilities.memoryByteCount), capabilities.highlights.joined(separator: ", "),
        ])
      }
      if let problem = entry.problem {
        problems.append(terminal.styled("\(entry.name): ", .yellow) + "\(problem)")
      }
    }
    let found =
      table.isEmpty
      ? "No devices were found." : table.text(width: terminal.isInteractive ? terminal.columns : nil)
    return ([found] + problems).joined(separator: "\n\n")
  }

  /// The same as JSON.
  public static func document(of entries: [DeviceCatalog.Entry]) throws -> JSONValue {
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

extension Capabilities {
  /// What sets the device apart, each in a few words.
  var highlights: [String] {
    let unit = interface == .host ? "thread" : "compute unit"
    var result = ["\(computeUnitCount) \(unit)\(computeUnitCount == 1 ? "" : "s")"]
    if subgroupSize > 1 { result.append("subgroups of \(subgroupSize)") }
    for type in [ElementType.float16, .bfloat16, .float64] where arithmeticTypes.contains(type) {
      result.append("\(type)")
    }
    if hasAtomicFloatAdd { result.append("atomic float add") }
    let shapes = matrixShapes.map { "\($0.m)x\($0.n)x\($0.k) \($0.input)" }
    if let first = shapes.first {
      result.append("matrix instruction \(first)" + (shapes.count > 1 ? " and \(shapes.count - 1) more" : ""))
    }
    return result
  }
}

extension Terminal {
  /// What standard output can show.
  public static var standardOutput: Terminal { Terminal(descriptor: STDOUT_FILENO) }
}
