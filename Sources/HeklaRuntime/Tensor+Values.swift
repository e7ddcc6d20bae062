import HeklaArrays
import HeklaDevices
import HeklaTensors

extension Tensor {
  /// Computes the tensor once on `executor`'s device.
  public func values(on executor: PlanExecutor) throws(DeviceError) -> HostArray {
    try executor.values(of: [self])[0]
  }
}
