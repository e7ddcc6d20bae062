import HeklaArrays
import HeklaDevices
import HeklaShaderCompiler
import HeklaShaders
import HeklaTensors
import Synchronization

/// What a choice between kernels holds for: where two keys are equal, one measurement serves both.
///
/// Extents count as the next powers of two. What lies within a class and still makes another kernel of a variant, such
/// as extents that allow vectors, shows in the digest of the kernels.
public struct TuningKey: Sendable, Hashable, Codable {
  /// The primitive's name.
  public let primitive: String
  /// The primitive's attributes, such as transposition, strides and groups.
  public let attributes: String
  /// Type and rounded extents of each input, such as `float32[1, 512, 64]`.
  public let inputs: [String]
  /// The same of the result.
  public let output: String
  /// A digest of the names of all variants, and of the specialized kernels of those that apply.
  public let kernels: String
  /// Where it was measured.
  public let device: TuningDevice

  /// The key of `node`'s operation on `device`, which has `capabilities`; nil where it has no hand-written kernels.
  init?(of node: Node, on device: TuningDevice, _ capabilities: Capabilities) {
    guard case .kernels(let variants) = node.primitive.lowering else { return nil }
    let signatures = node.inputs.map(\.signature)
    primitive = node.primitive.name
    // Some primitives repeat the result's extents in their attributes, where they would be a class of their own.
    attributes = node.primitive.attributes.replacing("\(node.shape)", with: "output")
    inputs = signatures.map(\.rounded.description)
    output = node.signature.rounded.description
    kernels = Self.digest(of: variants, signatures, node.signature, capabilities)
    self.device = device
  }

  private static func digest(
    of variants: [KernelVariant], _ inputs: [Signature], _ output: Signature, _ capabilities: Capabilities
  ) -> String {
    var hash = SHA256()
    for variant in variants {
      hash.update(variant.name)
      guard variant.applies(capabilities, inputs, output) else { continue }
      for call in variant.program(inputs, output, capabilities).calls {
        switch call.body {
        case .shader(let name, let constants, let defines):
          hash.update(ShaderDigests.digest(of: name))
          hash.update("\(constants.sorted { $0.key < $1.key })")
          hash.update("\(defines.sorted { $0.key < $1.key })")
        // What it is built for are the extents themselves.
        case .host(let name, _): hash.update(name)
        }
      }
    }
    return hash.hexadecimal
  }
}

extension TuningKey: CustomStringConvertible {
  /// Such as `matrix-product(NT) of float32[1, 512, 64] and float32[1, 64, 64]`.
  public var description: String {
    "\(primitive)\(attributes.isEmpty ? "" : "(\(attributes))") of \(inputs.joined(separator: " and "))"
  }
}

extension Signature {
  /// With every extent rounded up to a power of two.
  fileprivate var rounded: Signature {
    Signature(
      Shape(shape.extents.map { $0 < 2 ? $0 : 1 << (Int.bitWidth - ($0 - 1).leadingZeroBitCount) }),
      elementType)
  }
}

/// Digests of the shader library's kernels, each computed once in a process.
private enum ShaderDigests {
  private static let known = Mutex<[String: String]>([:])

  /// The digest of kernel `name`'s text and of that of the headers it includes.
  static func digest(of name: String) -> String {
    if let digest = known.withLock({ $0[name] }) { return digest }
    var hash = SHA256()
    var included: Set<String> = []
    var texts = [ShaderLibrary.kernel(named: name) ?? ""]
    while let text = texts.popLast() {
      hash.update(text)
      for line in text.split(separator: "\n") where line.hasPrefix("#include") {
        let header = line.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
        if included.insert(header).inserted { texts.append(ShaderLibrary.include(named: header) ?? "") }
      }
    }
    let digest = hash.hexadecimal
    known.withLock { $0[name] = digest }
    return digest
  }
}
