import HeklaArrays
import HeklaTensors
import Testing

@Suite struct RearrangementTests {
  static func counting(_ shape: Shape) -> Tensor { Tensor((0..<shape.count).map(Double.init), shape: shape) }

  @Test func `Rolling, tiling and repeating move elements as their definitions say`() {
    let x = Self.counting([2, 3])
    #expect(numbers(of: x.rolled(by: 1, along: 1)) == [2, 0, 1, 5, 3, 4])
    #expect(numbers(of: x.rolled(by: -4, along: 1)) == [1, 2, 0, 4, 5, 3])
    #expect(numbers(of: x.tiled([1, 2])) == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
    #expect(numbers(of: x.repeated(2, along: 0)) == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
    #expect(numbers(of: x.repeated(2, along: 1)) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    #expect(x.split(into: [1, 0, 2], along: 1).map { numbers(of: $0) } == [[0, 3], [], [1, 2, 4, 5]])
    #expect(x.chunks(of: 2, along: 1).map(\.shape) == [[2, 2], [2, 1]])
    #expect(x.unstacked(along: 1).map { numbers(of: $0) } == [[0, 3], [1, 4], [2, 5]])
    #expect(Self.counting([2, 3, 4]).movingAxis(0, to: -1).shape == [3, 4, 2])
    #expect(Self.counting([1, 3, 1]).squeezed().shape == [3])
    #expect(Self.counting([1, 3, 1]).squeezed([0]).shape == [3, 1])
  }

  @Test func `Borders continue the tensor as they are named`() {
    let x = Tensor([1.0, 2, 3, 4])
    func padded(_ border: Tensor.Border) -> [Double] {
      numbers(of: x.padded(before: [2], after: [3], with: border))
    }
    #expect(padded(.reflection) == [3, 2, 1, 2, 3, 4, 3, 2, 1])
    #expect(padded(.replication) == [1, 1, 1, 2, 3, 4, 4, 4, 4])
    #expect(padded(.circular) == [3, 4, 1, 2, 3, 4, 1, 2, 3])
    #expect(padded(.constant(9)) == [9, 9, 1, 2, 3, 4, 9, 9, 9])
    for border in [Tensor.Border.reflection, .replication, .circular] {
      let error = gradientError(at: spread(12, seed: 1), [3, 4]) {
        $0.padded(before: [1, 2], after: [2, 1], with: border)
      }
      #expect(error < 1e-9)
    }
  }

  @Test func `Slices and updates at a computed start hold it in bounds`() {
    let x = Self.counting([5, 2])
    let part = Tensor([-1.0, -2, -3, -4], shape: [2, 2])
    for (start, first) in [(-3, 0), (0, 0), (2, 2), (3, 3), (9, 3)] {
      let start = Tensor(HostArray(scalar: Int32(start)))
      let expected = Array(numbers(of: x)[(first * 2)..<(first * 2 + 4)])
      #expect(numbers(of: x.sliced(from: start, extent: 2, along: 0)) == expected)
      var replaced = numbers(of: x)
      replaced.replaceSubrange((first * 2)..<(first * 2 + 4), with: [-1, -2, -3, -4])
      #expect(numbers(of: x.replacing(from: start, with: part, along: 0)) == replaced)
    }
    let start = Tensor(HostArray(scalar: Int32(1)))
    #expect(
      gradientError(at: spread(10, seed: 2), [5, 2]) { $0.sliced(from: start, extent: 3, along: 0) } < 1e-9)
    #expect(
      gradientError(at: spread(10, seed: 2), [5, 2]) { $0.replacing(from: start, with: part, along: 0) }
        < 1e-9)
    #expect(
      gradientError(at: spread(4, seed: 2), [2, 2]) { x.replacing(from: start, with: $0, along: 0) } < 1e-9)
  }

  @Test func `One-hot rows, triangles and diagonals are what they are called`() {
    #expect(numbers(of: Tensor([2, -1, 0] as [Int32]).oneHot(3)) == [0, 0, 1, 0, 0, 0, 1, 0, 0])
    let x = Self.counting([3, 4])
    #expect(numbers(of: x.lowerTriangle(diagonal: 1)) == [0, 1, 0, 0, 4, 5, 6, 0, 8, 9, 10, 11])
    #expect(numbers(of: x.upperTriangle(diagonal: -1)) == [0, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11])
    #expect(numbers(of: .causalMask(rows: 2, columns: 3, diagonal: 1)) == [1, 1, 0, 1, 1, 1])
    #expect(numbers(of: .identity(2, columns: 3, diagonal: 1)) == [0, 1, 0, 0, 0, 1])
    for diagonal in -3...4 {
      let expected = (0..<3).compactMap { row in
        (0..<4).contains(row + diagonal) ? Double(row * 4 + row + diagonal) : nil
      }
      #expect(numbers(of: x.diagonal(diagonal)) == expected)
    }
    #expect(numbers(of: Self.counting([2, 3, 2]).diagonal(along: 0, 2)) == [0, 7, 2, 9, 4, 11])
    #expect(numbers(of: Tensor([1.0, 2]).embeddedAsDiagonal()) == [1, 0, 0, 2])
    #expect(numbers(of: Tensor([1.0, 2]).embeddedAsDiagonal(1)) == [0, 1, 0, 0, 0, 2, 0, 0, 0])
    #expect(numbers(of: Tensor([1.0, 2]).embeddedAsDiagonal(-1)) == [0, 0, 0, 1, 0, 0, 0, 2, 0])
    #expect(numbers(of: Self.counting([3, 3]).trace()) == [12])
    #expect(gradientError(at: spread(12, seed: 3), [3, 4]) { $0.diagonal(1) } < 1e-9)
    #expect(gradientError(at: spread(3, seed: 3), [3]) { $0.embeddedAsDiagonal(-2) } < 1e-9)
    #expect(gradientError(at: spread(12, seed: 3), [3, 4]) { $0.lowerTriangle() } < 1e-9)
  }

  @Test func `Spaced numbers meet both ends exactly, and a mesh varies along each axis`() {
    let spaced = numbers(of: .linearlySpaced(from: -0.1, to: 0.7, count: 7, .float64))
    #expect(spaced.first == -0.1 && spaced.last == 0.7)
    #expect(agree(spaced, (0..<7).map { -0.1 + 0.8 * Double($0) / 6 }, within: 1e-15))
    let mesh = Tensor.meshGrid([Tensor([1.0, 2]), Tensor([3.0, 4, 5])])
    #expect(mesh.map { numbers(of: $0) } == [[1, 1, 1, 2, 2, 2], [3, 4, 5, 3, 4, 5]])
  }

  @Test func `Windows are slices, and their gradient adds up what overlaps`() {
    let x = Self.counting([2, 11])
    let y = x.windows([3], along: [1], strides: [2], dilations: [3])
    #expect(y.shape == [2, 3, 3])
    #expect(numbers(of: y).prefix(9) == [0, 3, 6, 2, 5, 8, 4, 7, 10])
    for size in [1, 2, 3] {
      for stride in 1...4 {
        for dilation in 1...3 {
          let error = gradientError(at: spread(22, seed: 4), [2, 11]) {
            $0.windows([size], along: [1], strides: [stride], dilations: [dilation])
          }
          #expect(error < 1e-9, "size \(size), stride \(stride), dilation \(dilation)")
        }
      }
    }
    let both = gradientError(at: spread(63, seed: 5), [7, 9]) {
      $0.windows([3, 2], along: [0, 1], strides: [2, 1], dilations: [1, 2]).squared()
    }
    #expect(both < 1e-8)
  }

  @Test func `Windows have second derivatives`() {
    let start = spread(9, seed: 6)
    let error = gradientError(at: start, [9]) { x in
      let y = x.windows([3], along: [0], strides: [2])
      return gradients(of: (y * y * y).sum(), withRespectTo: [x])[0]
    }
    #expect(error < 1e-8)
  }

  @Test func `Pixel shuffles invert each other and place channels as the paper does`() {
    let x = Self.counting([4, 1, 2])
    // Channel 2 dy + dx goes to row dy and column dx of its block.
    #expect(numbers(of: x.pixelShuffled(by: 2)) == [0, 2, 1, 3, 4, 6, 5, 7])
    let y = Self.counting([2, 3, 4, 6])
    #expect(numbers(of: y.pixelUnshuffled(by: 2).pixelShuffled(by: 2)) == numbers(of: y))
  }

  @Test func `Resizing follows both conventions`() {
    let x = Tensor([0.0, 10, 40])
    func resized(_ extent: Int, _ interpolation: Interpolation, corners: Bool = false) -> [Double] {
      numbers(of: x.resized(to: [extent], along: [0], by: interpolation, aligningCorners: corners))
    }
    #expect(resized(6, .nearest) == [0, 0, 10, 10, 40, 40])
    #expect(resized(2, .nearest) == [0, 40])
    #expect(resized(5, .linear, corners: true) == [0, 5, 10, 25, 40])
    #expect(resized(6, .linear) == [0, 2.5, 7.5, 17.5, 32.5, 40])
    // Keys's kernel at 1/2 with a = -0.75: -0.09375, 0.59375, 0.59375, -0.09375.
    let middle = -0.09375 * 0 + 0.59375 * 0 + 0.59375 * 10 - 0.09375 * 40
    #expect(abs(resized(5, .cubic, corners: true)[1] - middle) < 1e-13)
    let image = Self.counting([1, 2, 2]).resized(to: [4, 4], along: [1, 2])
    #expect(numbers(of: image).prefix(4) == [0, 0.25, 0.75, 1])
    let error = gradientError(at: spread(30, seed: 7), [1, 5, 6]) {
      $0.resized(to: [8, 4], along: [1, 2], by: .cubic)
    }
    #expect(error < 1e-9)
  }
}
