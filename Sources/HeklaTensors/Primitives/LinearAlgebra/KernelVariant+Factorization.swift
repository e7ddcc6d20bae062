import HeklaArrays
import HeklaDevices

extension KernelVariant {
  /// The host's LAPACK: parameters are whether it is in float64 and the input's extents; bindings the input, the
  /// further results and the output.
  static func lapack(_ kernel: String, writing count: Int) -> KernelVariant {
    KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, _, _ in
      let body = KernelCall.Body.host(
        kernel, [inputs[0].elementType == .float64 ? 1 : 0] + inputs[0].shape.extents)
      let further = (0..<count - 1).map { KernelCall.Operand.secondary($0) }
      return KernelProgram([KernelCall(body, bindings: [.input(0)] + further + [.output], writing: count)])
    }
  }
}

extension ElementType {
  /// What factorizations in this type are compiled with, whose matrices lie in shared memory or in buffers.
  func factorizationDefines(isGlobal: Bool) -> [String: String] {
    isGlobal ? scalarDefines.merging(["GLOBAL": "1"]) { $1 } : scalarDefines
  }
}

extension Capabilities {
  /// The most columns of matrices whose eigenvalues or singular values shaders find. They make so many sweeps of rotations
  /// and do not look whether these were enough; larger matrices take more.
  static let mostRotatedColumns = 256

  /// The lanes of a workgroup that has a matrix in buffers to itself, a multiple of 16.
  var wideLocalSize: Int { min(256, maxWorkgroupInvocations, maxWorkgroupSize[0]) / 16 * 16 }

  /// For how many elements of `type` shared memory is set aside where `count` are needed: a power of two, so that
  /// matrices of many sizes share a kernel, or else all that fit.
  ///
  /// - Parameters:
  ///   - localSize: The lanes, each of which has a value and a place there.
  /// - Returns: nil where `count` elements do not fit.
  func sharedCapacity(_ count: Int, of type: ElementType, localSize: Int) -> Int? {
    let byteCount = sharedMemoryByteCount - (localSize + localSize / 16) * (type.byteCount + 4)
    let all = byteCount / type.byteCount
    return count > all ? nil : min(count.powerOfTwo(atLeast: 256), all)
  }
}

extension Int {
  /// The least power of two that is not below this nor below `least`, itself one.
  func powerOfTwo(atLeast least: Int) -> Int {
    var power = least
    while power < self { power *= 2 }
    return power
  }
}
