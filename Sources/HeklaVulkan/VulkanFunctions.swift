import CVulkan
import HeklaDevices

/// The functions of an instance.
///
/// Unchecked Sendable: C function pointers, which never change.
struct InstanceFunctions: @unchecked Sendable {
  let destroyInstance: PFN_vkDestroyInstance
  let enumeratePhysicalDevices: PFN_vkEnumeratePhysicalDevices
  let enumerateDeviceExtensionProperties: PFN_vkEnumerateDeviceExtensionProperties
  let getPhysicalDeviceProperties2: PFN_vkGetPhysicalDeviceProperties2
  let getPhysicalDeviceFeatures2: PFN_vkGetPhysicalDeviceFeatures2
  let getPhysicalDeviceMemoryProperties: PFN_vkGetPhysicalDeviceMemoryProperties
  let getPhysicalDeviceQueueFamilyProperties: PFN_vkGetPhysicalDeviceQueueFamilyProperties
  let createDevice: PFN_vkCreateDevice
  let getDeviceProcAddr: PFN_vkGetDeviceProcAddr
  let createDebugUtilsMessenger: PFN_vkCreateDebugUtilsMessengerEXT?
  let destroyDebugUtilsMessenger: PFN_vkDestroyDebugUtilsMessengerEXT?
  let getCooperativeMatrixProperties: PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesNV?

  /// Finds every function through `find`.
  init(_ find: FunctionLookup) throws(DeviceError) {
    destroyInstance = try find("vkDestroyInstance")
    enumeratePhysicalDevices = try find("vkEnumeratePhysicalDevices")
    enumerateDeviceExtensionProperties = try find("vkEnumerateDeviceExtensionProperties")
    getPhysicalDeviceProperties2 = try find("vkGetPhysicalDeviceProperties2")
    getPhysicalDeviceFeatures2 = try find("vkGetPhysicalDeviceFeatures2")
    getPhysicalDeviceMemoryProperties = try find("vkGetPhysicalDeviceMemoryProperties")
    getPhysicalDeviceQueueFamilyProperties = try find("vkGetPhysicalDeviceQueueFamilyProperties")
    createDevice = try find("vkCreateDevice")
    getDeviceProcAddr = try find("vkGetDeviceProcAddr")
    createDebugUtilsMessenger = find.optional("vkCreateDebugUtilsMessengerEXT")
    destroyDebugUtilsMessenger = find.optional("vkDestroyDebugUtilsMessengerEXT")
    getCooperativeMatrixProperties = find.optional("vkGetPhysicalDeviceCooperativeMatrixPropertiesNV")
  }
}

/// The functions of a logical device, without the loader's dispatch in between.
///
/// Variables are those that tests replace by ones that fail.
///
/// Unchecked Sendable: C function pointers, which never change once a device is open.
struct DeviceFunctions: @unchecked Sendable {
  let destroyDevice: PFN_vkDestroyDevice
  let getDeviceQueue: PFN_vkGetDeviceQueue
  let deviceWaitIdle: PFN_vkDeviceWaitIdle
  var queueSubmit: PFN_vkQueueSubmit

  var allocateMemory: PFN_vkAllocateMemory
  let freeMemory: PFN_vkFreeMemory
  let mapMemory: PFN_vkMapMemory
  let createBuffer: PFN_vkCreateBuffer
  let destroyBuffer: PFN_vkDestroyBuffer
  let getBufferMemoryRequirements: PFN_vkGetBufferMemoryRequirements
  let bindBufferMemory: PFN_vkBindBufferMemory

  let createBufferView: PFN_vkCreateBufferView
  let destroyBufferView: PFN_vkDestroyBufferView

  let createShaderModule: PFN_vkCreateShaderModule
  let destroyShaderModule: PFN_vkDestroyShaderModule
  let createDescriptorSetLayout: PFN_vkCreateDescriptorSetLayout
  let destroyDescriptorSetLayout: PFN_vkDestroyDescriptorSetLayout
  let createPipelineLayout: PFN_vkCreatePipelineLayout
  let destroyPipelineLayout: PFN_vkDestroyPipelineLayout
  let createPipelineCache: PFN_vkCreatePipelineCache
  let destroyPipelineCache: PFN_vkDestroyPipelineCache
  let getPipelineCacheData: PFN_vkGetPipelineCacheData
  var createComputePipelines: PFN_vkCreateComputePipelines
  let destroyPipeline: PFN_vkDestroyPipeline

  let createDescriptorPool: PFN_vkCreateDescriptorPool
  let destroyDescriptorPool: PFN_vkDestroyDescriptorPool
  let allocateDescriptorSets: PFN_vkAllocateDescriptorSets
  let updateDescriptorSets: PFN_vkUpdateDescriptorSets

  let createCommandPool: PFN_vkCreateCommandPool
  let destroyCommandPool: PFN_vkDestroyCommandPool
  let allocateCommandBuffers: PFN_vkAllocateCommandBuffers
  let beginCommandBuffer: PFN_vkBeginCommandBuffer
  let endCommandBuffer: PFN_vkEndCommandBuffer
  let cmdBindPipeline: PFN_vkCmdBindPipeline
  let cmdBindDescriptorSets: PFN_vkCmdBindDescriptorSets
  let cmdPushConstants: PFN_vkCmdPushConstants
  let cmdDispatch: PFN_vkCmdDispatch
  let cmdCopyBuffer: PFN_vkCmdCopyBuffer
  let cmdFillBuffer: PFN_vkCmdFillBuffer
  let cmdPipelineBarrier: PFN_vkCmdPipelineBarrier

  let createQueryPool: PFN_vkCreateQueryPool
  let destroyQueryPool: PFN_vkDestroyQueryPool
  let getQueryPoolResults: PFN_vkGetQueryPoolResults
  let cmdResetQueryPool: PFN_vkCmdResetQueryPool
  let cmdWriteTimestamp: PFN_vkCmdWriteTimestamp

  let createFence: PFN_vkCreateFence
  let destroyFence: PFN_vkDestroyFence
  let getFenceStatus: PFN_vkGetFenceStatus
  let resetFences: PFN_vkResetFences
  let waitForFences: PFN_vkWaitForFences
  let createSemaphore: PFN_vkCreateSemaphore
  let destroySemaphore: PFN_vkDestroySemaphore
  /// Core in Vulkan 1.2, an extension before; nil where there are no timeline semaphores.
  let getSemaphoreCounterValue: PFN_vkGetSemaphoreCounterValue?
  let waitSemaphores: PFN_vkWaitSemaphores?

  /// Finds every function through `find`.
  init(_ find: FunctionLookup) throws(DeviceError) {
    destroyDevice = try find("vkDestroyDevice")
    getDeviceQueue = try find("vkGetDeviceQueue")
    deviceWaitIdle = try find("vkDeviceWaitIdle")
    queueSubmit = try find("vkQueueSubmit")

    allocateMemory = try find("vkAllocateMemory")
    freeMemory = try find("vkFreeMemory")
    mapMemory = try find("vkMapMemory")
    createBuffer = try find("vkCreateBuffer")
    destroyBuffer = try find("vkDestroyBuffer")
    getBufferMemoryRequirements = try find("vkGetBufferMemoryRequirements")
    bindBufferMemory = try find("vkBindBufferMemory")

    createBufferView = try find("vkCreateBufferView")
    destroyBufferView = try find("vkDestroyBufferView")

    createShaderModule = try find("vkCreateShaderModule")
    destroyShaderModule = try find("vkDestroyShaderModule")
    createDescriptorSetLayout = try find("vkCreateDescriptorSetLayout")
    destroyDescriptorSetLayout = try find("vkDestroyDescriptorSetLayout")
    createPipelineLayout = try find("vkCreatePipelineLayout")
    destroyPipelineLayout = try find("vkDestroyPipelineLayout")
    createPipelineCache = try find("vkCreatePipelineCache")
    destroyPipelineCache = try find("vkDestroyPipelineCache")
    getPipelineCacheData = try find("vkGetPipelineCacheData")
    createComputePipelines = try find("vkCreateComputePipelines")
    destroyPipeline = try find("vkDestroyPipeline")

    createDescriptorPool = try find("vkCreateDescriptorPool")
    destroyDescriptorPool = try find("vkDestroyDescriptorPool")
    allocateDescriptorSets = try find("vkAllocateDescriptorSets")
    updateDescriptorSets = try find("vkUpdateDescriptorSets")

    createCommandPool = try find("vkCreateCommandPool")
    destroyCommandPool = try find("vkDestroyCommandPool")
    allocateCommandBuffers = try find("vkAllocateCommandBuffers")
    beginCommandBuffer = try find("vkBeginCommandBuffer")
    endCommandBuffer = try find("vkEndCommandBuffer")
    cmdBindPipeline = try find("vkCmdBindPipeline")
    cmdBindDescriptorSets = try find("vkCmdBindDescriptorSets")
    cmdPushConstants = try find("vkCmdPushConstants")
    cmdDispatch = try find("vkCmdDispatch")
    cmdCopyBuffer = try find("vkCmdCopyBuffer")
    cmdFillBuffer = try find("vkCmdFillBuffer")
    cmdPipelineBarrier = try find("vkCmdPipelineBarrier")

    createQueryPool = try find("vkCreateQueryPool")
    destroyQueryPool = try find("vkDestroyQueryPool")
    getQueryPoolResults = try find("vkGetQueryPoolResults")
    cmdResetQueryPool = try find("vkCmdResetQueryPool")
    cmdWriteTimestamp = try find("vkCmdWriteTimestamp")

    createFence = try find("vkCreateFence")
    destroyFence = try find("vkDestroyFence")
    getFenceStatus = try find("vkGetFenceStatus")
    resetFences = try find("vkResetFences")
    waitForFences = try find("vkWaitForFences")
    createSemaphore = try find("vkCreateSemaphore")
    destroySemaphore = try find("vkDestroySemaphore")
    getSemaphoreCounterValue =
      find.optional("vkGetSemaphoreCounterValue") ?? find.optional("vkGetSemaphoreCounterValueKHR")
    waitSemaphores = find.optional("vkWaitSemaphores") ?? find.optional("vkWaitSemaphoresKHR")
  }
}
