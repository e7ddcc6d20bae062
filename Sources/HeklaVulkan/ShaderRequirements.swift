import HeklaDevices

/// What a SPIR-V module asks of the device, read from its capability instructions.
///
/// Checked before the driver sees the module: a driver may accept what it did not enable and compute nonsense.
/// Source: SPIR-V specification, sections 2.3 (layout) and 3.31 (capabilities).
struct ShaderRequirements {
  /// The numbers of the declared capabilities.
  let capabilities: Set<UInt32>

  /// Reads the capabilities at the head of `words`.
  init(words: [UInt32]) {
    let headerLength = 5
    let capabilityOpcode: UInt32 = 17
    var found: Set<UInt32> = []
    var index = headerLength
    while index + 1 < words.count, words[index] & 0xffff == capabilityOpcode {
      found.insert(words[index + 1])
      index += 2
    }
    capabilities = found
  }

  /// Whether invocations of a subgroup work together.
  var usesSubgroups: Bool { !capabilities.isDisjoint(with: 61...68) || capabilities.contains(5357) }

  /// What the module needs and the device lacks, in words.
  func missing(from features: DeviceFeatures, _ device: Capabilities) -> [String] {
    let operations = device.subgroupOperations
    let table: [(UInt32, Bool, String)] = [
      (9, features.shaderFloat16, "arithmetic on float16"),
      (10, features.shaderFloat64, "arithmetic on float64"),
      (11, features.shaderInt64, "arithmetic on int64"),
      (12, false, "atomic operations on int64"),
      (22, features.shaderInt16, "arithmetic on 16-bit integers"),
      (39, features.shaderInt8, "arithmetic on 8-bit integers"),
      (61, operations.contains(.basic), "subgroups"),
      (62, operations.contains(.vote), "subgroup votes"),
      (63, operations.contains(.arithmetic), "subgroup arithmetic"),
      (64, operations.contains(.ballot), "subgroup ballots"),
      (65, operations.contains(.shuffle), "subgroup shuffles"),
      (66, operations.contains(.shuffleRelative), "relative subgroup shuffles"),
      (67, operations.contains(.clustered), "clustered subgroup operations"),
      (68, operations.contains(.quad), "subgroup quads"),
      (4433, features.storageBuffer16Bit, "16-bit storage"),
      (4434, false, "16-bit uniform buffers"),
      (4435, false, "16-bit push constants"),
      (4448, features.storageBuffer8Bit, "8-bit storage"),
      (4449, false, "8-bit uniform buffers"),
      (4450, false, "8-bit push constants"),
      (4442, false, "variable pointers"),
      (5345, features.memoryModel, "the Vulkan memory model"),
      (5346, features.memoryModelDeviceScope, "the Vulkan memory model at device scope"),
      (5347, false, "buffer addresses"),
      (5357, features.cooperativeMatrix, "cooperative matrices"),
      (6022, false, "cooperative matrices of the KHR kind"),
      (6033, features.atomicFloat32Add, "atomic addition of float32"),
      (6034, false, "atomic addition of float64"),
    ]
    return table.filter { capabilities.contains($0.0) && !$0.1 }.map(\.2)
  }
}
