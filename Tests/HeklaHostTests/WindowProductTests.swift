import Testing

@testable import HeklaHost

/// Convolutions by products with windows, at each level of machine instructions.
///
/// All numbers are small and whole, so that results are exact, whatever the order of the sums.
struct WindowProductTests {
  /// How a convolution is done: forward and its input gradient in the first two ways, weight gradients in the others.
  enum Way: CaseIterable { case windows, winograd, weightProduct, weightDots }

  /// A convolution of random extents, strides, dilations, borders and groups.
  private static func convolution(
    _ direction: Convolution.Direction, isDouble: Bool, _ generator: inout Generator
  ) -> Convolution {
    func draw(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }
    let axes = draw(1...3)
    var (input, kernel, output, stride, dilation, before) = (
      [Int](), [Int](), [Int](), [Int](), [Int](), [Int]()
    )
    for axis in 0..<3 {
      let isUsed = axis >= 3 - axes
      kernel.append(isUsed ? draw(1...3) : 1)
      stride.append(isUsed ? draw(1...3) : 1)
      dilation.append(isUsed ? draw(1...2) : 1)
      before.append(isUsed ? draw(0...2) : 0)
      let reach = (kernel[axis] - 1) * dilation[axis] + 1
      // One axis may be longer than a vector of any level.
      input.append(isUsed ? draw(1...(axis == 2 ? 40 : 6)) + max(0, reach - before[axis]) : 1)
      output.append((input[axis] + before[axis] + draw(0...(isUsed ? 1 : 0)) - reach) / stride[axis] + 1)
    }
    let result = Convolution(
      [direction.rawValue, isDouble ? 1 : 0, draw(1...3), draw(1...2), draw(1...20), draw(1...20)] + input
        + kernel + output + stride + dilation + before)
    // What takes long to check is drawn again.
    guard let result, result.productCount < 60_000 else {
      return self.convolution(direction, isDouble: isDouble, &generator)
    }
    return result
  }

  @Test(arguments: ProductKernels.Level.allCases, [false, true])
  func `each element is the sum over its windows`(level: ProductKernels.Level, isDouble: Bool) {
    guard let kernels = ProductKernels(elementSize: isDouble ? 8 : 4, level: level) else { return }
    var generator = Generator(seed: 7)
    for number in 0..<12 {
      for direction in [Convolution.Direction.forward, .inputGradient, .weightGradient] {
        let convolution = Self.convolution(direction, isDouble: isDouble, &generator)
        for way in direction == .weightGradient ? [Way.weightProduct, .weightDots] : [.windows] {
          let (result, wanted) =
            isDouble
            ? results(of: convolution, kernels, Double.self, &generator, by: way)
            : results(of: convolution, kernels, Float.self, &generator, by: way)
          // Not the arrays, which would take minutes to print.
          let place = zip(result, wanted).enumerated().first { $1.0 != $1.1 }
          #expect(place == nil, "\(direction) \(number) \(way): \(convolution.source.key)")
        }
      }
    }
  }

  @Test(arguments: ProductKernels.Level.allCases, Way.allCases)
  func `an infinite input spoils what meets it only`(level: ProductKernels.Level, way: Way) throws {
    guard let kernels = ProductKernels(elementSize: 4, level: level) else { return }
    let direction = [Way.windows, .winograd].contains(way) ? 0 : 2
    // 5 x 5 with a border of 1: rows of a region are 7 long, and columns between rows meet other rows' inputs.
    let convolution = try #require(
      Convolution([direction, 0, 1, 1, 2, 3, 1, 5, 5, 1, 3, 3, 1, 5, 5, 1, 1, 1, 1, 1, 1, 0, 1, 1]))
    var generator = Generator(seed: 1)
    for place in [0, 4, 12, 20, 24] {
      let (result, wanted) = results(
        of: convolution, kernels, Float.self, &generator, by: way, infiniteInput: place)
      #expect(wanted.contains { !$0.isFinite } && wanted.contains(where: \.isFinite))
      for (element, value) in zip(result, wanted) {
        #expect(element == value || element.isNaN && value.isNaN)
      }
    }
  }

  @Test(arguments: ProductKernels.Level.allCases)
  func `pieces of the positions, blocks of channels and parts of the batch are added up`(
    level: ProductKernels.Level
  ) throws {
    guard let kernels = ProductKernels(elementSize: 4, level: level) else { return }
    var generator = Generator(seed: 11)
    // Planes of more positions than a piece has; more channels than a block has, of small planes.
    for (batch, channels, extents) in [(1, 2, [1, 40, 45]), (35, 65, [1, 2, 2]), (1, 2, [3, 24, 25])] {
      let kernel = [min(extents[0], 2), 3, 3]
      let output = [extents[0] - kernel[0] + 1, extents[1], extents[2]]
      let convolution = try #require(
        Convolution(
          [2, 0, batch, 1, channels, 2] + extents + kernel + output + [1, 1, 1, 1, 1, 1, 0, 1, 1]))
      for way in [Way.weightProduct, .weightDots] {
        let (result, wanted) = results(of: convolution, kernels, Float.self, &generator, by: way)
        #expect(result == wanted)
      }
    }
  }

  @Test(arguments: ProductKernels.Level.allCases, [false, true])
  func `tiles of two by two outputs are sums over windows`(level: ProductKernels.Level, isDouble: Bool) throws
  {
    guard let kernels = ProductKernels(elementSize: isDouble ? 8 : 4, level: level) else { return }
    var generator = Generator(seed: 5)
    // Rows of one tile and of several vectors, odd and even; several items in a task, several blocks of rows.
    let shapes = [
      (1, 1, 2, 3, 1, 1, 1), (3, 1, 3, 2, 2, 5, 0), (1, 2, 2, 3, 5, 70, 1), (2, 1, 4, 5, 9, 8, 2),
      (1, 1, 1, 2, 33, 35, 1), (9, 1, 3, 4, 7, 6, 1), (1, 1, 5, 90, 4, 3, 1), (1, 1, 90, 2, 3, 4, 2),
    ]
    for (batch, groups, channels, features, rows, columns, border) in shapes {
      for direction in [Convolution.Direction.forward, .inputGradient] {
        let output = [1, rows, columns]
        let input = [1, rows + 2 - border, columns + 2 - border]
        let convolution = try #require(
          Convolution(
            [direction.rawValue, isDouble ? 1 : 0, batch, groups, channels, features] + input + [1, 3, 3]
              + output + [1, 1, 1, 1, 1, 1, 0, border, border]))
        // Weights of whole numbers become quarters of such, which are exact.
        let (result, wanted) =
          isDouble
          ? results(of: convolution, kernels, Double.self, &generator, by: .winograd)
          : results(of: convolution, kernels, Float.self, &generator, by: .winograd)
        let place = zip(result, wanted).enumerated().first { $1.0 != $1.1 }
        #expect(place == nil, "\(convolution.source.key)")
      }
    }
  }

  /// What the kernels make of random whole numbers, and what loops make of them.
  private func results<Real: BinaryFloatingPoint & Sendable>(
    of convolution: Convolution, _ kernels: ProductKernels, _: Real.Type, _ generator: inout Generator,
    by way: Way, infiniteInput: Int? = nil
  ) -> (result: [Double], wanted: [Double]) {
    func numbers(_ count: Int) -> [Real] {
      (0..<count).map { _ in Real(Int.random(in: -3...3, using: &generator)) }
    }
    let outer = convolution.batch * convolution.groups
    var x = numbers(outer * convolution.channels * convolution.inputCount)
    var y = numbers(outer * convolution.features * convolution.outputCount)
    var weights = numbers(convolution.groups * convolution.features * convolution.channels * convolution.taps)
    if let infiniteInput { x[infiniteInput] = .infinity }
    var wanted = (x: x, y: y, weights: weights)
    switch convolution.direction {
    case .forward: wanted.y = wanted.y.map { _ in 0 }
    case .inputGradient: wanted.x = wanted.x.map { _ in 0 }
    case .weightGradient: wanted.weights = wanted.weights.map { _ in 0 }
    }
    convolution.forEachProduct { x, weight, y in
      switch convolution.direction {
      case .forward: wanted.y[y] += wanted.x[x] * wanted.weights[weight]
      case .inputGradient: wanted.x[x] += wanted.y[y] * wanted.weights[weight]
      case .weightGradient: wanted.weights[weight] += wanted.x[x] * wanted.y[y]
      }
    }
    x.withUnsafeMutableBytes { x in
      y.withUnsafeMutableBytes { y in
        weights.withUnsafeMutableBytes { weights in
          guard let x = x.baseAddress, let y = y.baseAddress, let weights = weights.baseAddress else {
            return
          }
          let (source, target) = convolution.direction == .inputGradient ? (y, x) : (x, y)
          switch way {
          case .windows:
            WindowProduct(convolution, kernels: kernels).run(source: source, weights: weights, target: target)
          case .winograd:
            guard let product = WinogradProduct(convolution, kernels: kernels) else {
              Issue.record("\(convolution.source.key) does not suit Winograd's algorithm")
              return
            }
            product.run(source: source, weights: weights, target: target)
          case .weightProduct:
            WindowWeightProduct(convolution, kernels: kernels).run(x: x, y: y, weights: weights)
          case .weightDots:
            WindowWeightDots(convolution, kernels: kernels).run(x: x, y: y, weights: weights)
          }
        }
      }
    }
    return switch convolution.direction {
    case .forward: (y.map { Double($0) }, wanted.y.map { Double($0) })
    case .inputGradient: (x.map { Double($0) }, wanted.x.map { Double($0) })
    case .weightGradient: (weights.map { Double($0) }, wanted.weights.map { Double($0) })
    }
  }
}

extension Convolution {
  fileprivate var productCount: Int { batch * groups * features * outputCount * channels * taps }

  /// Calls `body` with the places of an input, a weight and an output for each product of the convolution.
  fileprivate func forEachProduct(_ body: (_ x: Int, _ weight: Int, _ y: Int) -> Void) {
    func coordinates(_ index: Int, _ extents: [Int]) -> [Int] {
      [index / extents[2] / extents[1], index / extents[2] % extents[1], index % extents[2]]
    }
    for outer in 0..<batch * groups {
      for feature in 0..<features {
        for position in 0..<outputCount {
          for channel in 0..<channels {
            for tap in 0..<taps {
              let (o, k) = (coordinates(position, output), coordinates(tap, kernel))
              let i = (0..<3).map { o[$0] * stride[$0] + k[$0] * dilation[$0] - before[$0] }
              guard (0..<3).allSatisfy({ i[$0] >= 0 && i[$0] < input[$0] }) else { continue }
              body(
                (outer * channels + channel) * inputCount + (i[0] * input[1] + i[1]) * input[2] + i[2],
                ((outer % groups * features + feature) * channels + channel) * taps + tap,
                (outer * features + feature) * outputCount + position)
            }
          }
        }
      }
    }
  }
}
