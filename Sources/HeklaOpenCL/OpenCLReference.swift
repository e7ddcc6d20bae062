import COpenCL

/// One reference to an OpenCL object, given back when the last Swift reference to this goes.
///
/// OpenCL counts references itself and keeps what enqueued commands still use, so giving back early is safe.
///
/// `@unchecked Sendable`: a handle that never changes, of an object that OpenCL lets any thread use.
final class OpenCLReference: @unchecked Sendable {
  /// The object.
  let handle: OpaquePointer
  private let release: @convention(c) (OpaquePointer?) -> cl_int
  /// What the object was made from; let go after the object itself.
  private let origin: (any AnyObject & Sendable)?

  /// Takes over one reference to `handle`, made from `origin`.
  init(
    _ handle: OpaquePointer, release: @escaping @convention(c) (OpaquePointer?) -> cl_int,
    origin: (any AnyObject & Sendable)? = nil
  ) {
    self.handle = handle
    self.release = release
    self.origin = origin
  }

  deinit { _ = release(handle) }
}
