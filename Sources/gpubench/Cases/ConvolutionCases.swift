import HeklaArrays
import HeklaTensors

extension CaseFamily {
  /// Convolutions of images with padding of half a window.
  static let convolution2D = CaseFamily(
    "convolution-2d",
    shape: CaseShape(
      "NxCxHxWxFxK",
      rule: "It is NxCxHxWxFxK, such as 32x64x56x56x64x3: N images of C channels and H x W pixels to F "
        + "features by windows of K x K, K odd.",
      counts: 6...6, usual: "32x64x56x56x64x3", software: "4x16x28x28x16x3", isValid: { $0[5] % 2 == 1 },
      arrays: { extents, _ in Convolutions.dense(extents, axes: 2).arrays }),
    summary: """
      conv2d and conv2d-stride2 of N images of C channels to F features by
      windows of K x K, padded by K / 2; with -gradients, those of images
      and weights from one of the result, without the result itself
      """,
    members: ["conv2d", "conv2d-stride2"].flatMap { name in
      convolutions(name) { .dense($0, axes: 2, stride: name == "conv2d" ? 1 : 2) }
    })

  /// Convolutions of each channel of images with windows of its own.
  static let depthwiseConvolution = CaseFamily(
    "depthwise-convolution",
    shape: CaseShape(
      "NxCxHxWxK",
      rule: "It is NxCxHxWxK, such as 32x128x56x56x3: N images of C channels and H x W pixels, windows of "
        + "K x K, K odd.",
      counts: 5...5, usual: "32x128x56x56x3", software: "4x16x28x28x3", isValid: { $0[4] % 2 == 1 },
      arrays: { extents, _ in Convolutions.depthwise(extents).arrays }),
    summary: "depthwise and depthwise-gradients: each channel on its own",
    members: convolutions("depthwise") { .depthwise($0) })

  /// Convolutions of volumes with padding of half a window.
  static let convolution3D = CaseFamily(
    "convolution-3d",
    shape: CaseShape(
      "NxCxDxHxWxFxK",
      rule:
        "It is NxCxDxHxWxFxK, such as 2x16x32x32x32x32x3: N volumes of C channels and D x H x W voxels to F "
        + "features by windows of K x K x K, K odd.",
      counts: 7...7, usual: "2x16x32x32x32x32x3", software: "1x4x8x16x16x8x3", isValid: { $0[6] % 2 == 1 },
      arrays: { extents, _ in Convolutions.dense(extents, axes: 3).arrays }),
    summary: "conv3d and conv3d-gradients: the same of volumes",
    members: convolutions("conv3d") { .dense($0, axes: 3) })

  /// The convolution `name` and its gradients.
  private static func convolutions(
    _ name: String, _ make: @escaping @Sendable ([Int]) -> Convolutions
  ) -> [Member] {
    [false, true].map { isGradient in
      let name = isGradient ? "\(name)-gradients" : name
      return Member(name, types: [.float32, .float64]) { parameters in
        .convolution(name, parameters, make(parameters.extents), isGradient: isGradient)
      }
    }
  }
}

/// The extents of a convolution with padding of half a window.
private struct Convolutions {
  let batch, channels, features, groups, kernel, stride: Int
  let input: [Int]

  /// Every feature sees every channel; the extents are N, C, those along the axes, F and K.
  static func dense(_ extents: [Int], axes: Int, stride: Int = 1) -> Convolutions {
    Convolutions(
      batch: extents[0], channels: extents[1], features: extents[axes + 2], groups: 1,
      kernel: extents[axes + 3], stride: stride, input: Array(extents[2..<(axes + 2)]))
  }

  /// Every feature sees one channel; the extents are N, C, H, W and K.
  static func depthwise(_ extents: [Int]) -> Convolutions {
    Convolutions(
      batch: extents[0], channels: extents[1], features: extents[1], groups: extents[1], kernel: extents[4],
      stride: 1, input: Array(extents[2..<4]))
  }

  var x: [Int] { [batch, channels] + input }
  var weights: [Int] { [features, channels / groups] + input.map { _ in kernel } }
  var y: [Int] { [batch, features] + input.map { ($0 - 1) / stride + 1 } }
  var arrays: [[Int]] { [x, weights, y] }
}

extension BenchmarkCase {
  /// The convolution, or from x, weights and dy the gradients with respect to the first two.
  fileprivate static func convolution(
    _ name: String, _ parameters: CaseParameters, _ size: Convolutions, isGradient: Bool
  ) -> BenchmarkCase {
    let type = parameters.elementType
    let check = CheckedConvolution(
      batch: size.batch, channels: size.channels, features: size.features, groups: size.groups,
      input: size.input, kernel: size.kernel, stride: size.stride, roundoff: type.arithmeticRoundoff)
    return BenchmarkCase(
      name, shape: parameters.shape, elementType: type,
      inputs: (isGradient ? size.arrays : [size.x, size.weights]).map { .numbers(Shape($0), type) },
      operationCount: (isGradient ? 4 : 2) * check.productCount,
      build: { inputs in
        let y = inputs[0].convolved(
          with: inputs[1], strides: size.input.map { _ in size.stride },
          padding: .symmetric(size.input.map { _ in size.kernel / 2 }), groups: size.groups)
        guard isGradient else { return [y] }
        return gradients(of: y, withRespectTo: [inputs[0], inputs[1]], upstream: inputs[2])
      },
      largestError: { inputs, outputs in
        let (inputs, outputs) = (inputs.map { $0.doubles() }, outputs.map { $0.doubles() })
        guard isGradient else { return check.largestError(ofOutput: outputs[0], inputs[0], inputs[1]) }
        return max(
          check.largestError(ofInputGradient: outputs[0], inputs[1], inputs[2]),
          check.largestError(ofWeightGradient: outputs[1], inputs[0], inputs[2]))
      })
  }
}
