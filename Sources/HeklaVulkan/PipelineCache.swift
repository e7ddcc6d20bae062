import CVulkan
import HeklaDevices
import HeklaShaderCompiler
import Synchronization

/// What the driver compiled, kept between processes.
///
/// The file's name holds device, driver and the size of a pointer, so what another driver left is never
/// offered; drivers check their data again, but not all survive foreign or damaged ones.
///
/// Unchecked Sendable: the handle never changes, and Vulkan guards the cache against concurrent use itself.
final class PipelineCache: @unchecked Sendable {
  private let context: DeviceContext
  private let owned: OwnedHandle
  private let disk: DiskCache?
  private let entry: String
  private let hasNews = Mutex(false)

  /// A cache with what an earlier process left in `directory`; nil keeps it in memory.
  init(_ context: DeviceContext, directory: String?) throws(DeviceError) {
    var identity = SHA256()
    identity.update("\(context.capabilities.uuid) \(context.capabilities.driver) \(MemoryLayout<Int>.size)")
    let disk = directory.map { DiskCache(directory: $0) }
    let entry = "vulkan-\(identity.hexadecimal.prefix(32)).pipelines"
    let data = disk?.read(entry) ?? []
    owned = try withScratch { (scratch) throws(DeviceError) -> OwnedHandle in
      var information = VkPipelineCacheCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
      information.initialDataSize = data.count
      information.pInitialData = UnsafeRawPointer(scratch.copy(data))
      return try context.make("vkCreatePipelineCache", destroy: context.functions.destroyPipelineCache) {
        context.functions.createPipelineCache(context.handle, &information, nil, $0)
      }
    }
    self.context = context
    self.disk = disk
    self.entry = entry
  }

  deinit { save() }

  /// What Vulkan calls the cache.
  var handle: VkPipelineCache { owned.handle }

  /// Notes that a pipeline was made, so that there is something to save.
  func noteNewPipeline() { hasNews.withLock { $0 = true } }

  /// Writes the file if there is anything new; a folder that cannot be written costs time, never an error.
  func save() {
    let isStale = hasNews.withLock { hasNews in
      defer { hasNews = false }
      return hasNews
    }
    guard let disk, isStale else { return }
    let getData = context.functions.getPipelineCacheData
    var byteCount = 0
    guard getData(context.handle, handle, &byteCount, nil) == VK_SUCCESS else { return }
    var data = [UInt8](repeating: 0, count: byteCount)
    guard getData(context.handle, handle, &byteCount, &data) == VK_SUCCESS else { return }
    disk.write(Array(data.prefix(byteCount)), as: entry)
  }
}
