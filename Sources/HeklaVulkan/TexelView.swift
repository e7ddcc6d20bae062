import CVulkan
import HeklaDevices

/// A stretch of a buffer as kernels read it by texels of four floats.
///
/// Unchecked Sendable: the handle never changes.
final class TexelView: @unchecked Sendable {
  /// What a texel takes, in bytes.
  static let texelByteCount = 4 * MemoryLayout<Float>.stride

  private let owned: OwnedHandle

  /// Makes a view of `slice`, which is whole texels.
  init(_ slice: CheckedSlice, on context: DeviceContext) throws(DeviceError) {
    var information = VkBufferViewCreateInfo()
    information.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO
    information.buffer = slice.buffer.handle
    information.format = VK_FORMAT_R32G32B32A32_SFLOAT
    information.offset = VkDeviceSize(slice.offset)
    information.range = VkDeviceSize(slice.byteCount)
    owned = try context.make("vkCreateBufferView", destroy: context.functions.destroyBufferView) {
      context.functions.createBufferView(context.handle, &information, nil, $0)
    }
  }

  /// What Vulkan calls the view.
  var handle: VkBufferView { owned.handle }
}
