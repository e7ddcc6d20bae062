import HeklaArrays
import HeklaDevices

/// Where each of `sought`, shape `[rows, count]`, belongs in its row of `sorted`, shape `[rows, extent]`.
struct SearchSorted: Primitive {
  /// Whether the place behind equal elements is meant, not the one before.
  let afterEquals: Bool

  var name: String { "search-sorted" }
  var attributes: String { afterEquals ? "after equals" : "before equals" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs.allSatisfy { $0.shape.rank == 2 } && inputs[0].shape[0] == inputs[1].shape[0]
        && inputs[0].elementType == inputs[1].elementType && Sort.kinds.contains(inputs[0].elementType),
      "search-sorted: \(inputs[1]) in \(inputs[0]); both need as many rows and one type of \(Sort.kinds)")
    return Signature(inputs[1].shape, .int32)
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (sorted, sought) = (inputs[0].doubles(), inputs[1].doubles())
    let (extent, count) = (inputs[0].shape[1], inputs[1].shape[1])
    let places = sought.enumerated().map { position, value -> Int32 in
      let row = sorted[(position / count * extent)..<((position / count + 1) * extent)]
      return Int32(
        row.filter { element in
          if element.isNaN || value.isNaN { return value.isNaN && (afterEquals || !element.isNaN) }
          return afterEquals ? element <= value : element < value
        }.count)
    }
    return HostArray(places, shape: signature.shape)
  }

  // MARK: Lowering

  var lowering: Lowering {
    .kernels([
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, output, _ in
        let kind = Sort.kinds.firstIndex(of: inputs[0].elementType) ?? 0
        let parameters = [kind, output.shape[0], inputs[0].shape[1], output.shape[1], afterEquals ? 1 : 0]
        return KernelProgram([
          KernelCall(.host("search_sorted", parameters), bindings: [.input(0), .input(1), .output])
        ])
      },
      KernelVariant(
        "binary",
        applies: { device, inputs, _ in
          device.runs(.float32, localSize: 128) && Sort.kinds.prefix(3).contains(inputs[0].elementType)
        }
      ) { inputs, output, _ in
        let kind = UInt32(Sort.kinds.firstIndex(of: inputs[0].elementType) ?? 0)
        return KernelProgram([
          KernelCall(
            .shader("search_sorted", constants: [0: 128, 1: afterEquals ? 1 : 0, 10: kind]),
            bindings: [.input(0), .input(1), .output],
            groupCount: GroupCount(folding: output.shape.count.groups(of: 128)),
            pushConstants: [output.shape[0], inputs[0].shape[1], output.shape[1]].map(UInt32.init))
        ])
      },
    ])
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample(
        "one-row", inputs: [.init([100], .int32, in: 0...40), .init([57], .int32, in: -2...45)],
        tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].sorted(along: 0).searchSorted($0[1]) },
      Sample(
        "one", inputs: [.init([1]), .init([1])], tolerance: .exact, isDifferentiable: false
      ) { $0[0].searchSorted($0[1]) },
      Sample(
        "uint32-edge-129",
        inputs: [.init([3, 31], .uint32, in: 0...50), .init([3, 43], .uint32, in: 0...60)],
        tolerance: .exact, isDifferentiable: false
      ) { $0[0].sorted(along: 1).searchSorted($0[1]) },
      Sample(
        "rows-after-equals", inputs: [.init([3, 9]), .init([3, 20])], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].sorted(along: 1).searchSorted($0[1], afterEquals: true) },
    ]
  }
}
