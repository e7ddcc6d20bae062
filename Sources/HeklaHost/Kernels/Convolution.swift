import CHostLoops
import HeklaDevices

/// A convolution over up to three axes, or one of its two gradients, after implicit unrolling into a matrix product.
///
/// Parameters: direction (0 forward, 1 input gradient, 2 weight gradient), type (0 `float32`, 1 `float64`), batch,
/// groups, channels and features of a group, then input, kernel, output, stride, dilation and border in front,
/// three numbers each.
/// Bindings: forward `x`, `weights`, `y`; input gradient `y`, `weights`, `x`; weight gradient `x`, `y`, `weights`,
/// each `[batch or features, channels, spatial...]` as the tensors are. The last is overwritten.
///
/// The unrolled matrix, each input element once per tap that meets it, is never formed: pieces of the input with their
/// border lie in a cache, and the product reads each window where it is. Windows of 3 x 3 over many planes are
/// transformed to take fewer multiplications. Each element is a sum in an order that the shapes alone fix.
///
/// Sources: Chetlur et al. 2014, "cuDNN: Efficient primitives for deep learning", section 3, for the product, there on
/// GPUs; Georganas et al. 2018, "Anatomy of high-performance deep learning convolutions on SIMD architectures", for
/// reading windows in place.
struct Convolution: Sendable {
  static let name = "convolution"

  /// What is computed from the other two.
  enum Direction: Int { case forward, inputGradient, weightGradient }

  let direction: Direction
  let isDouble: Bool
  let batch, groups, channels, features: Int
  let kernel, stride, dilation, before: [Int]
  private(set) var input, output: [Int]

  var taps: Int { kernel.reduce(1, *) }
  var inputCount: Int { input.reduce(1, *) }
  var outputCount: Int { output.reduce(1, *) }
  var elementSize: Int { isDouble ? 8 : 4 }

  init?(_ parameters: [Int]) {
    guard parameters.count == 24, let direction = Direction(rawValue: parameters[0]),
      parameters[1...].allSatisfy({ $0 >= 0 }), parameters[2..<21].allSatisfy({ $0 > 0 })
    else { return nil }
    self.direction = direction
    isDouble = parameters[1] == 1
    (batch, groups) = (parameters[2], parameters[3])
    (channels, features) = (parameters[4], parameters[5])
    func triple(_ start: Int) -> [Int] { Array(parameters[start..<start + 3]) }
    (input, kernel, output) = (triple(6), triple(9), triple(12))
    (stride, dilation, before) = (triple(15), triple(18), triple(21))
    // Runs are described in 32 bits.
    guard inputCount < Int(Int32.max), outputCount < Int(Int32.max) else { return nil }
  }

  var source: HostSource {
    let key =
      "\(direction) \(isDouble) \(batch) \(groups) \(channels) \(features) \(input) \(kernel) \(output) \(stride) "
      + "\(dilation) \(before)"
    let body = body
    return HostSource(name: Self.name, key: key) { (arguments: HostArguments) throws(DeviceError) in
      try run(body, arguments)
    }
  }

  /// How the convolution is done.
  private enum Body: Sendable {
    case product(WindowProduct)
    case winograd(WinogradProduct)
    case weightProduct(WindowWeightProduct)
    case weightDots(WindowWeightDots)
  }

  private var body: Body {
    guard direction == .weightGradient else {
      if let product = WinogradProduct(self), product.isFaster { return .winograd(product) }
      return .product(WindowProduct(flattened))
    }
    return WindowWeightProduct.isFaster(for: flattened)
      ? .weightProduct(WindowWeightProduct(flattened)) : .weightDots(WindowWeightDots(flattened))
  }

  /// The same over one axis, where each output meets just the input in its place.
  private var flattened: Convolution {
    guard taps == 1, stride == [1, 1, 1], input == output else { return self }
    var result = self
    result.input = [1, 1, inputCount]
    result.output = result.input
    return result
  }

  private func run(_ body: Body, _ arguments: HostArguments) throws(DeviceError) {
    let counts = (
      x: batch * groups * channels * inputCount, weights: groups * features * channels * taps,
      y: batch * groups * features * outputCount
    )
    func memory(_ binding: Int, _ count: Int) throws(DeviceError) -> UnsafeMutableRawPointer? {
      try arguments.elements(binding, count: count * elementSize, as: UInt8.self, kernel: Self.name)
        .baseAddress
        .map { UnsafeMutableRawPointer($0) }
    }
    let places =
      switch direction {
      case .forward: (x: 0, weights: 1, y: 2)
      case .inputGradient: (x: 2, weights: 1, y: 0)
      case .weightGradient: (x: 0, weights: 2, y: 1)
      }
    guard let x = try memory(places.x, counts.x), let weights = try memory(places.weights, counts.weights),
      let y = try memory(places.y, counts.y)
    else { return }
    switch body {
    case .weightProduct(let gradient): gradient.run(x: x, y: y, weights: weights)
    case .weightDots(let gradient): gradient.run(x: x, y: y, weights: weights)
    case .winograd(let product):
      direction == .forward
        ? product.run(source: x, weights: weights, target: y)
        : product.run(source: y, weights: weights, target: x)
    case .product(let product):
      direction == .forward
        ? product.run(source: x, weights: weights, target: y)
        : product.run(source: y, weights: weights, target: x)
    }
  }
}
