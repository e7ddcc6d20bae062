import CVulkan
import Glibc
import HeklaArrays
import HeklaDevices
import HeklaShaderCompiler

/// What a driver tells about a device, and the capabilities that follow.
struct PropertyReport {
  /// The properties of Vulkan 1.0, limits included.
  let core: VkPhysicalDeviceProperties
  /// The names of the device's extensions.
  let extensions: Set<String>
  private let identity: VkPhysicalDeviceIDProperties
  private let subgroup: VkPhysicalDeviceSubgroupProperties
  private let maintenance3: VkPhysicalDeviceMaintenance3Properties
  private let driver: VkPhysicalDeviceDriverProperties?
  private let maintenance4: VkPhysicalDeviceMaintenance4Properties?
  private let subgroupSize: VkPhysicalDeviceSubgroupSizeControlProperties?
  private let multiprocessors: VkPhysicalDeviceShaderSMBuiltinsPropertiesNV?
  private let shaderCore: VkPhysicalDeviceShaderCorePropertiesAMD?
  private let floatControls: VkPhysicalDeviceFloatControlsProperties?

  /// Asks the driver of `device`.
  init(_ device: VkPhysicalDevice, of instance: VulkanInstance) {
    let functions = instance.functions
    var count: UInt32 = 0
    _ = functions.enumerateDeviceExtensionProperties(device, nil, &count, nil)
    var listed = Array(repeating: VkExtensionProperties(), count: Int(count))
    _ = functions.enumerateDeviceExtensionProperties(device, nil, &count, &listed)
    let extensions = Set(listed.prefix(Int(count)).map { text(of: $0.extensionName) })
    self.extensions = extensions

    // The version first: it decides which structures the second call may carry.
    var first = VkPhysicalDeviceProperties2()
    first.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
    functions.getPhysicalDeviceProperties2(device, &first)
    core = first.properties
    let version = min(first.properties.apiVersion, instance.version)
    let core12 = VulkanInstance.apiVersion(1, 2)
    let core13 = VulkanInstance.apiVersion(1, 3)

    (
      identity, subgroup, maintenance3, driver, maintenance4, subgroupSize, multiprocessors, shaderCore,
      floatControls
    ) =
      withScratch { scratch in
        var chain = StructureChain(
          VkPhysicalDeviceProperties2(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &scratch)
        /// Links `properties` where `name` is part of the core since `coreVersion`, or an extension.
        func link<Properties: BitwiseCopyable>(
          _ properties: Properties, _ type: VkStructureType, of name: String, coreSince coreVersion: UInt32?
        ) -> UnsafeMutablePointer<Properties>? {
          guard version >= coreVersion ?? .max || extensions.contains(name) else { return nil }
          return chain.append(properties, type, &scratch)
        }
        let identity = chain.append(
          VkPhysicalDeviceIDProperties(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES, &scratch)
        let subgroup = chain.append(
          VkPhysicalDeviceSubgroupProperties(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES,
          &scratch)
        let maintenance3 = chain.append(
          VkPhysicalDeviceMaintenance3Properties(),
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, &scratch)
        let driver = link(
          VkPhysicalDeviceDriverProperties(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
          of: "VK_KHR_driver_properties", coreSince: core12)
        let maintenance4 = link(
          VkPhysicalDeviceMaintenance4Properties(),
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES,
          of: "VK_KHR_maintenance4", coreSince: core13)
        let subgroupSize = link(
          VkPhysicalDeviceSubgroupSizeControlProperties(),
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES,
          of: "VK_EXT_subgroup_size_control", coreSince: core13)
        let multiprocessors = link(
          VkPhysicalDeviceShaderSMBuiltinsPropertiesNV(),
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV,
          of: "VK_NV_shader_sm_builtins", coreSince: nil)
        let shaderCore = link(
          VkPhysicalDeviceShaderCorePropertiesAMD(),
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD,
          of: "VK_AMD_shader_core_properties", coreSince: nil)
        // Only where it is in the core: kernels then need no extension to be enabled.
        let floatControls =
          version < core12
          ? nil
          : link(
            VkPhysicalDeviceFloatControlsProperties(),
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES,
            of: "VK_KHR_shader_float_controls", coreSince: core12)
        functions.getPhysicalDeviceProperties2(device, chain.head)
        return (
          identity.pointee, subgroup.pointee, maintenance3.pointee, driver?.pointee, maintenance4?.pointee,
          subgroupSize?.pointee, multiprocessors?.pointee, shaderCore?.pointee, floatControls?.pointee
        )
      }
  }

  /// The widths in bits at which kernels may ask for IEEE's NaN, infinity and signed zero.
  var preservedFloatWidths: [UInt32] {
    guard let floatControls else { return [] }
    return [
      (16, floatControls.shaderSignedZeroInfNanPreserveFloat16),
      (32, floatControls.shaderSignedZeroInfNanPreserveFloat32),
      (64, floatControls.shaderSignedZeroInfNanPreserveFloat64),
    ]
    .filter { $0.1.isTrue }.map { $0.0 }
  }

  /// What kernels may ask of subgroup sizes.
  func subgroupControl(features: DeviceFeatures) -> PhysicalDevice.SubgroupControl? {
    guard let subgroupSize, features.subgroupSizeControl else { return nil }
    let least = Int(subgroupSize.minSubgroupSize)
    return PhysicalDevice.SubgroupControl(
      sizes: least...max(least, Int(subgroupSize.maxSubgroupSize)),
      maxSubgroupCount: Int(subgroupSize.maxComputeWorkgroupSubgroups),
      canRequireSize: subgroupSize.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT.rawValue != 0,
      canRequireFull: features.computeFullSubgroups)
  }

  /// The record for the rest of the framework.
  func capabilities(
    features: DeviceFeatures, memory: VkPhysicalDeviceMemoryProperties, hasTimestamps: Bool,
    matrixShapes: [Capabilities.MatrixShape]
  ) -> Capabilities {
    var record = Capabilities(
      interface: .vulkan, kind: kind, deviceName: text(of: core.deviceName), driver: driverDescription)
    let limits = core.limits
    record.uuid = uuid
    record.memoryByteCount = memory.deviceLocalByteCount
    let largestAllocation = Int(clamping: maintenance3.maxMemoryAllocationSize)
    let largestBuffer = maintenance4.map { Int(clamping: $0.maxBufferSize) } ?? largestAllocation
    // Sizes are rounded up, which must not lead past the limit.
    record.maxBufferByteCount =
      min(largestAllocation, largestBuffer) / VulkanBuffer.padding * VulkanBuffer.padding
    // Bound ranges are rounded up to whole words.
    record.maxBindingByteCount = min(Int(limits.maxStorageBufferRange), record.maxBufferByteCount) / 4 * 4
    record.bufferAlignment = max(Int(limits.minStorageBufferOffsetAlignment), 16)
    record.maxBindingCount = Int(
      min(
        limits.maxPerStageDescriptorStorageBuffers, limits.maxDescriptorSetStorageBuffers,
        limits.maxPerStageResources))
    record.maxPushConstantByteCount = Int(limits.maxPushConstantsSize)
    record.maxWorkgroupInvocations = Int(limits.maxComputeWorkGroupInvocations)
    let size = limits.maxComputeWorkGroupSize
    record.maxWorkgroupSize = [Int(size.0), Int(size.1), Int(size.2)]
    let groups = limits.maxComputeWorkGroupCount
    record.maxGroupCount = [Int(groups.0), Int(groups.1), Int(groups.2)]
    record.sharedMemoryByteCount = Int(limits.maxComputeSharedMemorySize)
    record.subgroupSize = max(Int(subgroup.subgroupSize), 1)
    record.subgroupOperations = subgroupOperations
    record.storageTypes = storageTypes(features)
    record.arithmeticTypes = arithmeticTypes(features)
    record.hasAtomicFloatAdd = features.atomicFloat32Add
    record.matrixShapes = matrixShapes
    record.computeUnitCount = computeUnitCount
    record.timestampPeriod = hasTimestamps ? Double(limits.timestampPeriod) : 0
    return record
  }

  private var kind: Capabilities.Kind {
    switch core.deviceType {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: .discreteGPU
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: .integratedGPU
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: .virtualGPU
    case VK_PHYSICAL_DEVICE_TYPE_CPU: .software
    default: .other
    }
  }

  private var driverDescription: String {
    guard let driver else { return "Vulkan driver \(core.driverVersion)" }
    return "\(text(of: driver.driverName)) \(text(of: driver.driverInfo))"
  }

  /// The device's and the driver's sixteen bytes mixed into sixteen, so that a new driver is a new identity.
  private var uuid: String {
    var hash = SHA256()
    withUnsafeBytes(of: identity.deviceUUID) { hash.update($0) }
    withUnsafeBytes(of: identity.driverUUID) { hash.update($0) }
    return String(hash.hexadecimal.prefix(32))
  }

  private var subgroupOperations: Set<Capabilities.SubgroupOperation> {
    guard subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT.rawValue != 0 else { return [] }
    let names: [(VkSubgroupFeatureFlagBits, Capabilities.SubgroupOperation)] = [
      (VK_SUBGROUP_FEATURE_BASIC_BIT, .basic), (VK_SUBGROUP_FEATURE_VOTE_BIT, .vote),
      (VK_SUBGROUP_FEATURE_ARITHMETIC_BIT, .arithmetic), (VK_SUBGROUP_FEATURE_BALLOT_BIT, .ballot),
      (VK_SUBGROUP_FEATURE_SHUFFLE_BIT, .shuffle),
      (VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT, .shuffleRelative),
      (VK_SUBGROUP_FEATURE_CLUSTERED_BIT, .clustered), (VK_SUBGROUP_FEATURE_QUAD_BIT, .quad),
    ]
    return Set(names.filter { subgroup.supportedOperations & $0.0.rawValue != 0 }.map(\.1))
  }

  private func storageTypes(_ features: DeviceFeatures) -> Set<ElementType> {
    var types: Set<ElementType> = [.float32, .int32, .uint32]
    if features.storageBuffer16Bit { types.formUnion([.float16, .bfloat16]) }
    if features.storageBuffer8Bit { types.formUnion([.uint8, .bool]) }
    if features.shaderFloat64 { types.insert(.float64) }
    if features.shaderInt64 { types.insert(.int64) }
    return types
  }

  private func arithmeticTypes(_ features: DeviceFeatures) -> Set<ElementType> {
    var types: Set<ElementType> = []
    if features.shaderFloat16 { types.insert(.float16) }
    if features.shaderFloat64 { types.insert(.float64) }
    if features.shaderInt64 { types.insert(.int64) }
    if features.shaderInt8 { types.insert(.uint8) }
    return types
  }

  /// Multiprocessors or compute units where the vendor tells, cores for a software driver, else 1.
  private var computeUnitCount: Int {
    if let multiprocessors { return max(Int(multiprocessors.shaderSMCount), 1) }
    if let shaderCore {
      let perEngine = Int(shaderCore.shaderArraysPerEngineCount) * Int(shaderCore.computeUnitsPerShaderArray)
      return max(Int(shaderCore.shaderEngineCount) * perEngine, 1)
    }
    return kind == .software ? max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1) : 1
  }
}

extension VkPhysicalDeviceMemoryProperties {
  /// The memory types, in the driver's order of preference.
  var types: [VkMemoryType] {
    withUnsafeBytes(of: memoryTypes) {
      Array($0.bindMemory(to: VkMemoryType.self).prefix(Int(memoryTypeCount)))
    }
  }

  /// The heaps that `types` refer to.
  var heaps: [VkMemoryHeap] {
    withUnsafeBytes(of: memoryHeaps) {
      Array($0.bindMemory(to: VkMemoryHeap.self).prefix(Int(memoryHeapCount)))
    }
  }

  /// The size of the largest device-local heap; smaller ones are windows into it or the like.
  var deviceLocalByteCount: Int {
    let local = heaps.filter { $0.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue != 0 }
    return Int(clamping: local.map(\.size).max() ?? heaps.map(\.size).max() ?? 0)
  }
}
