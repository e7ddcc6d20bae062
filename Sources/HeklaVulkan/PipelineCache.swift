import CVulkan
import Foundation
import HeklaDevices
import Synchronization

/// What the driver compiled, kept between processes.
///
/// The file starts with a magic word, the device's and driver's identity and a checksum; whatever does not fit
/// is taken for absent. It is replaced in one step, so that processes may share a folder.
///
/// Unchecked Sendable: the handle never changes, and Vulkan guards the cache against concurrent use itself.
final class PipelineCache: @unchecked Sendable {
  private let context: DeviceContext
  private let owned: OwnedHandle
  private let path: String?
  private let unsavedCount = Mutex(0)

  private static let magic = Array("hekla-pipelines-1".utf8)

  /// A cache with what the file in `directory` holds; nil keeps it in memory.
  init(_ context: DeviceContext, directory: String?) throws(DeviceError) {
    self.context = context
    path = directory.map { "\($0)/vulkan-\(context.capabilities.uuid).pipelines" }
    let blob = path.flatMap { Self.read($0, identity: Self.identity(context)) } ?? []
    owned = try withScratch { (scratch) throws(DeviceError) -> OwnedHandle in
      var information = VkPipelineCacheCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
      information.initialDataSize = blob.count
      information.pInitialData = UnsafeRawPointer(scratch.copy(blob))
      return try context.make("vkCreatePipelineCache", destroy: context.functions.destroyPipelineCache) {
        context.functions.createPipelineCache(context.handle, &information, nil, $0)
      }
    }
  }

  deinit { save() }

  /// What Vulkan calls the cache.
  var handle: VkPipelineCache { owned.handle }

  /// Notes that a pipeline was made, so that there is something to save.
  func noteNewPipeline() { unsavedCount.withLock { $0 += 1 } }

  /// Writes the file if there is anything new; a folder that cannot be written costs time, never an error.
  func save() {
    let isCurrent = unsavedCount.withLock { count in
      defer { count = 0 }
      return count == 0
    }
    guard let path, !isCurrent else { return }
    var byteCount = 0
    guard context.functions.getPipelineCacheData(context.handle, handle, &byteCount, nil) == VK_SUCCESS else {
      return
    }
    var blob = [UInt8](repeating: 0, count: byteCount)
    guard context.functions.getPipelineCacheData(context.handle, handle, &byteCount, &blob) == VK_SUCCESS
    else {
      return
    }
    blob.removeLast(blob.count - byteCount)
    let url = URL(fileURLWithPath: path)
    try? FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? Foundation.Data(Self.file(blob, identity: Self.identity(context))).write(to: url, options: .atomic)
  }

  /// What has to agree for a file to be used; drivers check their own blob again.
  private static func identity(_ context: DeviceContext) -> [UInt8] {
    Array("\(context.capabilities.uuid) \(context.capabilities.driver)".utf8)
  }

  /// The bytes of a cache file around `blob`.
  static func file(_ blob: [UInt8], identity: [UInt8]) -> [UInt8] {
    let body = word(Checksum.fnv1a(identity)) + blob
    return magic + word(Checksum.fnv1a(body)) + body
  }

  /// The blob in the bytes of a cache file, or nil where they are damaged or of another driver.
  static func blob(inFile bytes: [UInt8], identity: [UInt8]) -> [UInt8]? {
    guard bytes.starts(with: magic) else { return nil }
    let rest = bytes.dropFirst(magic.count)
    let body = rest.dropFirst(8)
    guard rest.count >= 16, rest.prefix(8).elementsEqual(word(Checksum.fnv1a(body))),
      body.prefix(8).elementsEqual(word(Checksum.fnv1a(identity)))
    else { return nil }
    return Array(body.dropFirst(8))
  }

  private static func read(_ path: String, identity: [UInt8]) -> [UInt8]? {
    FileManager.default.contents(atPath: path).flatMap { blob(inFile: Array($0), identity: identity) }
  }

  private static func word(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }
}
