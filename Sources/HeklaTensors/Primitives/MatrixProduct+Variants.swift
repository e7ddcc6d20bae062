import HeklaDevices

extension MatrixProduct {
  var variants: [KernelVariant] { [] }
}
extension Gather {
  var variants: [KernelVariant] { [] }
}
extension ScatterSum {
  var variants: [KernelVariant] { [] }
}
