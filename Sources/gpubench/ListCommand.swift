import ArgumentParser
import HeklaArrays
import HeklaCommands
import HeklaTensors
import HeklaText

/// `gpubench list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the primitives with their kernel variants and samples.",
    discussion: """
      The samples are what the tests hold every variant to on every device. 'loop' stands for a kernel that is \
      generated and fused with its neighbours. 'gpubench run --help' lists the cases to measure.
      """)

  @Flag(help: "Print a JSON array instead: one object per primitive.")
  var json = false

  func run() {
    print(json ? Self.document.indented : Self.text)
  }

  /// A primitive's variants, from the kernels of its samples.
  private static func variants(of samples: [Sample]) -> [String] {
    let choices = samples.compactMap { sample in
      KernelChoice(of: sample.build(sample.inputs.enumerated().map { .input($0, $1.signature) }))
    }
    return choices.first?.names ?? ["loop"]
  }

  /// A line per sample.
  static var text: String {
    var table = TextTable(["primitive", "variants", "sample", "inputs", "tolerance", "operations"])
    for (primitive, samples) in Sample.all {
      let variants = variants(of: samples).joined(separator: " ")
      for (index, sample) in samples.enumerated() {
        table.add([
          index == 0 ? primitive : "", index == 0 ? variants : "", sample.label,
          sample.inputs.map(\.signature.description).joined(separator: " "), sample.tolerance.text,
          String(sample.flops),
        ])
      }
    }
    return table.text()
  }

  /// The same as JSON.
  static var document: JSONValue {
    .array(
      Sample.all.map { primitive, samples in
        .object([
          .init("primitive", .text(primitive)),
          .init("variants", .array(variants(of: samples).map { .text($0) })),
          .init("samples", .array(samples.map(\.document))),
        ])
      })
  }
}

extension Sample {
  fileprivate var document: JSONValue {
    .object([
      .init("label", .text(label)),
      .init("inputs", .array(inputs.map { .text($0.signature.description) })),
      .init("tolerance", .text(tolerance.text)),
      .init("operations", JSONValue(flops)),
    ])
  }
}

extension Sample.Tolerance {
  /// In a few words.
  fileprivate var text: String {
    switch self {
    case .exact: "exact"
    case .ulps(let count): "\(NumberText.short(count)) ulp"
    case .sum(let count): "sum of \(count)"
    case .normwise(let count): "\(NumberText.short(count)) half-units of the largest"
    }
  }
}
