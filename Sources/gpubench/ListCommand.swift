import ArgumentParser
import HeklaArrays
import HeklaCommands
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import HeklaText

/// `gpubench list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the primitives with their kernel variants and samples.",
    discussion: """
      The first table says how many of a primitive's samples each variant runs on each device; 'loop' stands for \
      a kernel that is generated and fused with its neighbours. The second has the samples: what the tests hold \
      every variant to on every device, and what 'gpubench run PRIMITIVE/SAMPLE' measures. 'gpubench run --help' \
      lists cases of any shape.
      """)

  @Flag(help: "Print a JSON array instead: one object per primitive, with the variants by sample and device.")
  var json = false

  func run() {
    let inventory = Inventory(devices: DeviceCatalog.shared.survey())
    print(json ? inventory.document.indented : inventory.text)
  }
}

/// Which kernel variants compute which samples on which devices.
struct Inventory {
  private struct Entry {
    let sample: Sample
    /// The names of the variants that run, by device.
    let usable: [[String]]
  }

  private struct Row {
    let primitive: String
    let variants: [String]
    let entries: [Entry]
  }

  private let devices: [String]
  private let rows: [Row]

  /// The inventory of those of `devices` that can be used.
  init(devices: [DeviceCatalog.Entry]) {
    let present = devices.compactMap { entry in entry.capabilities.map { (entry.name, $0) } }
    self.devices = present.map(\.0)
    rows = Sample.all.map { primitive, samples in
      let choices = samples.map { KernelChoice(of: $0, primitive: primitive) }
      let entries = zip(samples, choices).map { sample, choice in
        Entry(
          sample: sample,
          usable: present.map { _, capabilities in
            choice?.usable(on: capabilities) ?? (capabilities.runsLoops(over: sample) ? ["loop"] : [])
          })
      }
      return Row(
        primitive: primitive, variants: choices.lazy.compactMap { $0?.names }.first ?? ["loop"],
        entries: entries)
    }
  }

  /// A line per variant, and one per sample.
  var text: String {
    var variants = TextTable(["primitive", "variant"] + devices)
    var samples = TextTable(["primitive", "sample", "inputs", "tolerance", "operations"])
    for row in rows {
      for (index, variant) in row.variants.enumerated() {
        let counts = devices.indices.map { device in
          row.entries.count { $0.usable[device].contains(variant) }
        }
        variants.add(
          [index == 0 ? row.primitive : "", variant]
            + counts.map { $0 == 0 ? "-" : "\($0) of \(row.entries.count)" })
      }
      for (index, entry) in row.entries.enumerated() {
        samples.add([
          index == 0 ? row.primitive : "", entry.sample.label,
          entry.sample.inputs.map(\.signature.description).joined(separator: " "),
          entry.sample.tolerance.text, String(entry.sample.flops),
        ])
      }
    }
    return variants.text() + "\n\n" + samples.text()
  }

  /// The same as JSON, sample by sample.
  var document: JSONValue {
    .array(
      rows.map { row in
        .object([
          .init("primitive", .text(row.primitive)),
          .init("variants", .array(row.variants.map { .text($0) })),
          .init("samples", .array(row.entries.map(document))),
        ])
      })
  }

  private func document(of entry: Entry) -> JSONValue {
    .object([
      .init("label", .text(entry.sample.label)),
      .init("inputs", .array(entry.sample.inputs.map { .text($0.signature.description) })),
      .init("tolerance", .text(entry.sample.tolerance.text)),
      .init("operations", JSONValue(entry.sample.flops)),
      .init(
        "variants",
        .object(
          zip(devices, entry.usable).map { device, names in .init(device, .array(names.map { .text($0) })) })),
    ])
  }
}

extension Capabilities {
  /// Whether generated kernels can read `sample`'s inputs: narrow types are computed in 32 bits, wide ones as they are.
  fileprivate func runsLoops(over sample: Sample) -> Bool {
    sample.inputs.map(\.signature.elementType).allSatisfy { type in
      storageTypes.contains(type) && (type.byteCount < 8 || arithmeticTypes.contains(type))
    }
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
