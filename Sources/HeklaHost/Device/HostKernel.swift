import HeklaDevices

/// A host body, ready to run.
public final class HostKernel: Kernel {
  /// What the kernel was made from.
  public let source: KernelSource

  let body: @Sendable (HostArguments) throws(DeviceError) -> Void

  init(source: KernelSource, body: @escaping @Sendable (HostArguments) throws(DeviceError) -> Void) {
    self.source = source
    self.body = body
  }
}
