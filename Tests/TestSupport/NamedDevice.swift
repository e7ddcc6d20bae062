import HeklaDevices

/// A device that has a name and refuses all work: for what only passes a device on.
public final class NamedDevice: Device {
  /// What it was called.
  public let name: String
  /// The least a device can have.
  public let capabilities = Capabilities(interface: .host, kind: .other, deviceName: "paper", driver: "none")

  /// The device `name`.
  public init(_ name: String) { self.name = name }

  /// Refuses.
  public func makeBuffer(byteCount: Int) throws(DeviceError) -> any Buffer { throw refusal }
  /// Refuses.
  public func makeKernel(_ source: KernelSource) throws(DeviceError) -> any Kernel { throw refusal }
  /// Refuses.
  public func makeQueue() throws(DeviceError) -> any Queue { throw refusal }

  private var refusal: DeviceError {
    .unsupported(device: name, feature: "any work", remedy: "Use another device.")
  }
}
