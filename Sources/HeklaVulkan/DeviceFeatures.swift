import CVulkan
import HeklaDevices

/// The features that kernels and queues use, each enabled exactly where the driver has it.
struct DeviceFeatures: Sendable {
  private(set) var shaderInt16 = false
  private(set) var shaderInt64 = false
  private(set) var shaderFloat64 = false
  private(set) var shaderInt8 = false
  private(set) var shaderFloat16 = false
  private(set) var storageBuffer16Bit = false
  private(set) var storageBuffer8Bit = false
  private(set) var atomicFloat32Add = false
  private(set) var memoryModel = false
  private(set) var memoryModelDeviceScope = false
  private(set) var subgroupExtendedTypes = false
  private(set) var subgroupSizeControl = false
  private(set) var computeFullSubgroups = false
  private(set) var timelineSemaphore = false
  private(set) var cooperativeMatrix = false

  /// What the driver of `device` has.
  init(_ device: VkPhysicalDevice, of instance: VulkanInstance, version: UInt32, extensions: Set<String>) {
    withScratch { scratch in
      let chain = FeatureChain(in: &scratch, version: version, extensions: extensions)
      instance.functions.getPhysicalDeviceFeatures2(device, chain.head)
      read(chain)
    }
  }

  private mutating func read(_ chain: FeatureChain) {
    let core = chain.head.pointee.features
    shaderInt16 = core.shaderInt16.isTrue
    shaderInt64 = core.shaderInt64.isTrue
    shaderFloat64 = core.shaderFloat64.isTrue
    storageBuffer16Bit = chain.storage16.pointee.storageBuffer16BitAccess.isTrue
    if let found = chain.storage8?.pointee { storageBuffer8Bit = found.storageBuffer8BitAccess.isTrue }
    if let found = chain.arithmetic?.pointee {
      shaderInt8 = found.shaderInt8.isTrue
      shaderFloat16 = found.shaderFloat16.isTrue
    }
    if let found = chain.atomicFloat?.pointee { atomicFloat32Add = found.shaderBufferFloat32AtomicAdd.isTrue }
    if let found = chain.memoryModel?.pointee {
      memoryModel = found.vulkanMemoryModel.isTrue
      memoryModelDeviceScope = found.vulkanMemoryModelDeviceScope.isTrue
    }
    if let found = chain.extendedTypes?.pointee {
      subgroupExtendedTypes = found.shaderSubgroupExtendedTypes.isTrue
    }
    if let found = chain.subgroupSize?.pointee {
      subgroupSizeControl = found.subgroupSizeControl.isTrue
      computeFullSubgroups = found.computeFullSubgroups.isTrue
    }
    if let found = chain.timeline?.pointee { timelineSemaphore = found.timelineSemaphore.isTrue }
    if let found = chain.matrix?.pointee { cooperativeMatrix = found.cooperativeMatrix.isTrue }
  }
}

/// The feature structures that a driver knows, linked for `vkGetPhysicalDeviceFeatures2` and `vkCreateDevice`.
///
/// The one-feature structures are used rather than `VkPhysicalDeviceVulkan12Features`, because they mean the
/// same in core versions and as extensions: one list serves every driver from 1.1 on.
struct FeatureChain {
  /// The first structure, with the features of Vulkan 1.0.
  let head: UnsafeMutablePointer<VkPhysicalDeviceFeatures2>
  let storage16: UnsafeMutablePointer<VkPhysicalDevice16BitStorageFeatures>
  let storage8: UnsafeMutablePointer<VkPhysicalDevice8BitStorageFeatures>?
  let arithmetic: UnsafeMutablePointer<VkPhysicalDeviceShaderFloat16Int8Features>?
  let atomicFloat: UnsafeMutablePointer<VkPhysicalDeviceShaderAtomicFloatFeaturesEXT>?
  let memoryModel: UnsafeMutablePointer<VkPhysicalDeviceVulkanMemoryModelFeatures>?
  let extendedTypes: UnsafeMutablePointer<VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures>?
  let subgroupSize: UnsafeMutablePointer<VkPhysicalDeviceSubgroupSizeControlFeatures>?
  let timeline: UnsafeMutablePointer<VkPhysicalDeviceTimelineSemaphoreFeatures>?
  let matrix: UnsafeMutablePointer<VkPhysicalDeviceCooperativeMatrixFeaturesNV>?
  /// The extensions, beyond the core version, to which the structures belong.
  let extensions: [String]

  /// Links the structures that a device of `version` with `extensions` understands.
  init(in scratch: inout Scratch, version: UInt32, extensions: Set<String>) {
    var chain = StructureChain(
      VkPhysicalDeviceFeatures2(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &scratch)
    var used: [String] = []
    /// Links `features` where `name` is part of the core since `coreVersion`, or an extension to enable.
    func link<Features: BitwiseCopyable>(
      _ features: Features, _ type: VkStructureType, of name: String, coreSince coreVersion: UInt32?
    ) -> UnsafeMutablePointer<Features>? {
      if version < coreVersion ?? .max {
        guard extensions.contains(name) else { return nil }
        used.append(name)
      }
      return chain.append(features, type, &scratch)
    }
    let core12 = VulkanInstance.apiVersion(1, 2)
    let core13 = VulkanInstance.apiVersion(1, 3)
    storage16 = chain.append(
      VkPhysicalDevice16BitStorageFeatures(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
      &scratch)
    storage8 = link(
      VkPhysicalDevice8BitStorageFeatures(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES,
      of: "VK_KHR_8bit_storage", coreSince: core12)
    arithmetic = link(
      VkPhysicalDeviceShaderFloat16Int8Features(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
      of: "VK_KHR_shader_float16_int8", coreSince: core12)
    memoryModel = link(
      VkPhysicalDeviceVulkanMemoryModelFeatures(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
      of: "VK_KHR_vulkan_memory_model", coreSince: core12)
    extendedTypes = link(
      VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_EXTENDED_TYPES_FEATURES,
      of: "VK_KHR_shader_subgroup_extended_types", coreSince: core12)
    // Enabled for kernels that lay buffers out as C does; nothing asks for it again.
    _ = link(
      VkPhysicalDeviceScalarBlockLayoutFeatures(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SCALAR_BLOCK_LAYOUT_FEATURES,
      of: "VK_EXT_scalar_block_layout", coreSince: core12)
    timeline = link(
      VkPhysicalDeviceTimelineSemaphoreFeatures(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
      of: "VK_KHR_timeline_semaphore", coreSince: core12)
    subgroupSize = link(
      VkPhysicalDeviceSubgroupSizeControlFeatures(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
      of: "VK_EXT_subgroup_size_control", coreSince: core13)
    atomicFloat = link(
      VkPhysicalDeviceShaderAtomicFloatFeaturesEXT(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_ATOMIC_FLOAT_FEATURES_EXT,
      of: "VK_EXT_shader_atomic_float", coreSince: nil)
    matrix = link(
      VkPhysicalDeviceCooperativeMatrixFeaturesNV(),
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV,
      of: "VK_NV_cooperative_matrix", coreSince: nil)
    head = chain.head
    self.extensions = used
  }

  /// Switches off, before a device is made, what no kernel needs; of 1.0's features only three are wanted.
  ///
  /// Above all `robustBufferAccess`, which costs a comparison at each load and store.
  func keepWhatKernelsUse() {
    let found = head.pointee.features
    head.pointee.features = VkPhysicalDeviceFeatures()
    head.pointee.features.shaderInt16 = found.shaderInt16
    head.pointee.features.shaderInt64 = found.shaderInt64
    head.pointee.features.shaderFloat64 = found.shaderFloat64
    matrix?.pointee.cooperativeMatrixRobustBufferAccess = VkBool32(VK_FALSE)
    atomicFloat?.pointee.sparseImageFloat32Atomics = VkBool32(VK_FALSE)
    atomicFloat?.pointee.sparseImageFloat32AtomicAdd = VkBool32(VK_FALSE)
  }
}

/// Structures linked through `pNext`.
struct StructureChain<Head: BitwiseCopyable> {
  /// The first structure.
  let head: UnsafeMutablePointer<Head>
  private var last: UnsafeMutablePointer<VkBaseOutStructure>

  /// A chain of one.
  init(_ value: Head, _ type: VkStructureType, _ scratch: inout Scratch) {
    head = scratch.copy(value)
    last = UnsafeMutableRawPointer(head).assumingMemoryBound(to: VkBaseOutStructure.self)
    last.pointee.sType = type
  }

  /// Links a copy of `value` behind the last structure.
  mutating func append<Link: BitwiseCopyable>(
    _ value: Link, _ type: VkStructureType, _ scratch: inout Scratch
  ) -> UnsafeMutablePointer<Link> {
    let link = scratch.copy(value)
    let common = UnsafeMutableRawPointer(link).assumingMemoryBound(to: VkBaseOutStructure.self)
    common.pointee.sType = type
    last.pointee.pNext = common
    last = common
    return link
  }
}

extension VkBool32 {
  /// Whether the flag is set.
  var isTrue: Bool { self != 0 }
}
