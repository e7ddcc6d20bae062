import Foundation
import HeklaDevices
import HeklaShaderCompiler

/// What tells a device, with its driver and what it can do, from others: choices between kernels hold for no other.
public struct TuningDevice: Sendable, Hashable, Codable {
  /// The sixteen bytes that the driver tells the device and itself by, in hexadecimal.
  public let uuid: String
  /// The driver's name and version.
  public let driver: String
  /// A digest of the capabilities, which say what kernels apply.
  public let capabilities: String

  /// The device that `capabilities` describe.
  public init(_ capabilities: Capabilities) {
    uuid = capabilities.uuid
    driver = capabilities.driver
    self.capabilities = capabilities.digest
  }
}

extension Capabilities {
  /// A digest of everything but how much memory there is: with `--memory-limit` the device is the same.
  fileprivate var digest: String {
    var record = self
    (record.memoryByteCount, record.maxBufferByteCount, record.maxBindingByteCount) = (0, 0, 0)
    var hash = SHA256()
    // By name, whatever members there are; sets are written in any order.
    if let data = try? JSONEncoder().encode(record),
      let object = try? JSONSerialization.jsonObject(with: data)
    {
      hash.update(Self.canonical(object))
    }
    return hash.hexadecimal
  }

  private static func canonical(_ value: Any) -> String {
    switch value {
    case let members as [String: Any]:
      members.sorted { $0.key < $1.key }.map { "\($0.key): \(canonical($0.value))" }.joined(separator: "\n")
    case let names as [String]: names.sorted().joined(separator: ", ")
    case let values as [Any]: values.map(canonical).joined(separator: ", ")
    default: "\(value)"
    }
  }
}
