import CVulkan
import HeklaArrays
import HeklaDevices

/// A device as its driver describes it, before it is opened.
///
/// Unchecked Sendable: a handle that any thread may query, and facts that never change.
struct PhysicalDevice: @unchecked Sendable {
  /// What the driver calls it.
  let handle: VkPhysicalDevice
  /// The instance that it belongs to.
  let instance: VulkanInstance
  /// The newest version that instance and device both know.
  let version: UInt32
  /// The names of the device's extensions.
  let extensions: Set<String>
  /// What shaders and queues may use.
  let features: DeviceFeatures
  /// The queue family that everything runs on.
  let queueFamily: UInt32
  /// How many bits of a timestamp count; 0 where the family has no timestamps.
  let timestampBitCount: Int
  /// The driver's memory types and heaps.
  let memory: VkPhysicalDeviceMemoryProperties
  /// How subgroup sizes may be chosen; nil where they may not.
  let subgroupControl: SubgroupControl?
  /// What can be read by texels.
  let texelLimits: TexelLimits
  /// The widths in bits at which kernels may ask for IEEE's NaN, infinity and signed zero.
  let preservedFloatWidths: [UInt32]
  /// The record that the rest of the framework sees.
  let capabilities: Capabilities

  /// What can be bound to be read by texels.
  struct TexelLimits: Sendable {
    /// What the offset of a slice must be a multiple of, in bytes.
    var alignment: Int
    /// The most texels in a slice.
    var maxCount: Int
  }

  /// What can be asked of the subgroups of a kernel.
  struct SubgroupControl: Sendable {
    /// The sizes that a kernel may require.
    var sizes: ClosedRange<Int>
    /// The most subgroups in a workgroup whose subgroup size is required.
    var maxSubgroupCount: Int
    /// Whether a compute kernel may require a size at all.
    var canRequireSize: Bool
    /// Whether a compute kernel may require that all its subgroups are full.
    var canRequireFull: Bool
  }

  /// Asks the driver about `handle`; nil for a device without Vulkan 1.1 or without compute queues.
  init?(_ handle: VkPhysicalDevice, of instance: VulkanInstance, index: Int) {
    let functions = instance.functions
    let report = PropertyReport(handle, of: instance)
    let version = min(report.core.apiVersion, instance.version)
    guard version >= VulkanInstance.minimumVersion,
      let family = Self.computeFamily(of: handle, functions: functions)
    else { return nil }
    let features = DeviceFeatures(handle, of: instance, version: version, extensions: report.extensions)

    var memory = VkPhysicalDeviceMemoryProperties()
    functions.getPhysicalDeviceMemoryProperties(handle, &memory)

    self.handle = handle
    self.instance = instance
    self.version = version
    extensions = report.extensions
    self.features = features
    queueFamily = family.index
    timestampBitCount = family.timestampBitCount
    self.memory = memory
    subgroupControl = report.subgroupControl(features: features)
    texelLimits = TexelLimits(
      alignment: Int(report.core.limits.minTexelBufferOffsetAlignment),
      maxCount: Int(report.core.limits.maxTexelBufferElements))
    preservedFloatWidths = report.preservedFloatWidths
    capabilities = report.capabilities(
      features: features, memory: memory, hasTimestamps: family.timestampBitCount > 0,
      matrixShapes: features.cooperativeMatrix ? Self.matrixShapes(of: handle, functions: functions) : [])
  }

  /// The family to run on: the first with compute and timestamps, else the first with compute.
  ///
  /// Families that also draw are taken as they come: on every driver of note the first compute family is the
  /// universal one, which runs kernels at full speed and can copy.
  private static func computeFamily(
    of handle: VkPhysicalDevice, functions: InstanceFunctions
  ) -> (index: UInt32, timestampBitCount: Int)? {
    var count: UInt32 = 0
    functions.getPhysicalDeviceQueueFamilyProperties(handle, &count, nil)
    var families = Array(repeating: VkQueueFamilyProperties(), count: Int(count))
    functions.getPhysicalDeviceQueueFamilyProperties(handle, &count, &families)
    let computing = families.indices.filter {
      families[$0].queueFlags & VK_QUEUE_COMPUTE_BIT.rawValue != 0 && families[$0].queueCount > 0
    }
    let best = computing.first { families[$0].timestampValidBits > 0 } ?? computing.first
    return best.map { (UInt32($0), Int(families[$0].timestampValidBits)) }
  }

  /// The shapes of the subgroup matrix instruction, by way of `VK_NV_cooperative_matrix`.
  ///
  /// The one place that knows how shapes are asked for: `VK_KHR_cooperative_matrix`, whose structures
  /// headers older than 1.3.255 lack, is asked here too once they have them.
  private static func matrixShapes(
    of handle: VkPhysicalDevice, functions: InstanceFunctions
  ) -> [Capabilities.MatrixShape] {
    guard let query = functions.getCooperativeMatrixProperties else { return [] }
    var count: UInt32 = 0
    guard query(handle, &count, nil) == VK_SUCCESS else { return [] }
    var blank = VkCooperativeMatrixPropertiesNV()
    blank.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV
    var properties = Array(repeating: blank, count: Int(count))
    guard query(handle, &count, &properties) == VK_SUCCESS else { return [] }
    var shapes: [Capabilities.MatrixShape] = []
    for property in properties.prefix(Int(count))
    where property.scope == VK_SCOPE_SUBGROUP_NV && property.AType == property.BType
      && property.CType == property.DType
    {
      guard let input = elementType(property.AType), let accumulator = elementType(property.CType) else {
        continue
      }
      let shape = Capabilities.MatrixShape(
        m: Int(property.MSize), n: Int(property.NSize), k: Int(property.KSize), input: input,
        accumulator: accumulator)
      if !shapes.contains(shape) { shapes.append(shape) }
    }
    return shapes
  }

  private static func elementType(_ component: VkComponentTypeNV) -> ElementType? {
    switch component {
    case VK_COMPONENT_TYPE_FLOAT16_NV: .float16
    case VK_COMPONENT_TYPE_FLOAT32_NV: .float32
    case VK_COMPONENT_TYPE_FLOAT64_NV: .float64
    case VK_COMPONENT_TYPE_SINT32_NV: .int32
    case VK_COMPONENT_TYPE_UINT32_NV: .uint32
    case VK_COMPONENT_TYPE_UINT8_NV: .uint8
    default: nil
    }
  }
}
