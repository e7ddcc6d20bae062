import HeklaArrays

/// The input itself, through which no gradient flows.
struct StopGradient: Primitive {
  var name: String { "stop-gradient" }
  func signature(of inputs: [Signature]) -> Signature { inputs[0] }
  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray { inputs[0] }
  var lowering: Lowering { .movement { point, _ in Movement(from: point) } }
  static var samples: [Sample] {
    [
      Sample("identity", inputs: [.init([7, 9])], tolerance: .exact, isDifferentiable: false) {
        $0[0].stoppingGradient()
      }
    ]
  }
}
