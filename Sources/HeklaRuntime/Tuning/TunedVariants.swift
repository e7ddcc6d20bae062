import HeklaDevices
import HeklaTensors
import Synchronization

/// The choices of a tuning cache that steps are compiled by, and which of them were used.
///
/// A snapshot: what is measured later changes nothing, so that all steps of a run agree.
public final class TunedVariants: Sendable {
  private let cache: TuningCache
  private let used = Mutex<[String: String]>([:])

  /// The choices that `cache` holds now.
  public init(_ cache: TuningCache) { self.cache = cache }

  /// The variants that were chosen by measurement so far, by what they compute, such as
  /// `matrix-product(NN) of float32[1, 500, 64] and float32[1, 64, 64]`.
  public var choices: [String: String] { used.withLock { $0 } }

  /// The choice among `variants` for `node`; nil where there is none, or where it is no longer among them.
  func variant(
    for node: Node, among variants: [KernelVariant], on capabilities: Capabilities
  ) -> KernelVariant? {
    guard let key = TuningKey(of: node, on: cache.device, capabilities),
      let name = cache[key]?.chosen, let variant = variants.first(where: { $0.name == name })
    else { return nil }
    let attributes = node.primitive.attributes
    let operands = node.inputs.map(\.signature.description).joined(separator: " and ")
    used.withLock { used in
      used["\(node.primitive.name)\(attributes.isEmpty ? "" : "(\(attributes))") of \(operands)"] = name
    }
    return variant
  }
}
