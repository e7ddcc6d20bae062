import Foundation
import HeklaDevices
import HeklaShaderCompiler

/// The choices between kernels that were measured on one device, as a file keeps them.
///
/// The file lies beside the compiled kernels: a line with a checksum, then JSON. One that is damaged, of another format or
/// of another device counts as empty and is replaced by the next `save`. A file may be copied to another machine
/// with the same device and driver.
public struct TuningCache: Sendable {
  /// The device that the choices are for.
  public let device: TuningDevice
  /// The choices.
  public private(set) var results: [TuningKey: TuningResult]
  private let disk: DiskCache?

  /// The choices for a device.
  ///
  /// - Parameters:
  ///   - capabilities: What the device can do, and is.
  ///   - directory: The folder with the file; nil begins with none, and keeps none.
  public init(
    for capabilities: Capabilities, in directory: String? = DeviceCatalog.Options().cacheDirectory
  ) {
    device = TuningDevice(capabilities)
    disk = directory.map { DiskCache(directory: $0) }
    results = [:]
    results = stored(disk?.read(name))
  }

  /// The result for `key`; setting it changes no file before `save`.
  public subscript(key: TuningKey) -> TuningResult? {
    get { results[key] }
    set { results[key] = newValue }
  }

  /// Where the file is; nil where there is to be none.
  public var path: String? { disk.map { "\($0.directory)/\(name)" } }

  /// Adds the choices to the file; what another process has added in the meantime stays, and comes in here too.
  ///
  /// - Returns: Whether the file is written.
  public mutating func save() -> Bool {
    guard let disk else { return false }
    return disk.update(name) { bytes in
      results = stored(bytes).merging(results) { $1 }
      return document
    }
  }

  /// Forgets all choices, in the file too.
  ///
  /// - Returns: Whether there was a file.
  public mutating func clear() -> Bool {
    results = [:]
    return disk?.remove(name) ?? false
  }

  // MARK: The file

  private static let format = 1

  private struct Entry: Codable {
    let key: TuningKey
    let result: TuningResult
  }

  private struct File: Codable {
    let format: Int
    let entries: [Entry]
  }

  private var name: String { "\(device.uuid).tuning" }

  private func stored(_ bytes: [UInt8]?) -> [TuningKey: TuningResult] {
    guard let bytes, let file = try? JSONDecoder().decode(File.self, from: Data(bytes)),
      file.format == Self.format
    else { return [:] }
    // Other drivers' choices stay: no key of this one meets them.
    let own = file.entries.filter { $0.key.device.uuid == device.uuid }
    return Dictionary(own.map { ($0.key, $0.result) }) { $1 }
  }

  private var document: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let entries = results.sorted {
      ($0.key.description, $0.key.kernels) < ($1.key.description, $1.key.kernels)
    }
    .map { Entry(key: $0.key, result: $0.value) }
    // Nothing in it can fail to be written: names, counts and times, which are finite.
    return (try? encoder.encode(File(format: Self.format, entries: entries))).map { Array($0) } ?? []
  }
}
