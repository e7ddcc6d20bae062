import Foundation
import HeklaDevices
import Testing

@testable import HeklaHost

/// The host's attention and its gradient, by their bindings.
@Suite struct AttentionKernelTests {
  /// Extents and flags as `AttentionExtents` takes them.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    let batch, heads, groups, queries, keys, depth, width: Int
    /// Bits 0...6: a mask and what it varies with, lengths, causal.
    let flags: Int

    func parameters(interleaved: Int) -> [Int] {
      [
        batch, heads, groups, queries, keys, depth, width, flags | interleaved << 7,
        Int(Float(0.3).bitPattern),
      ]
    }

    var maskCount: Int {
      let extents = [batch, heads, queries, keys].enumerated()
      return flags & 1 == 0
        ? 1 : extents.reduce(1) { $0 * (flags & (2 << $1.offset) != 0 ? $1.element : 1) }
    }

    /// Streams, positions and numbers of Q, K, V and O.
    var shapes: [(streams: Int, positions: Int, extent: Int)] {
      [(heads, queries, depth), (groups, keys, depth), (groups, keys, width), (heads, queries, width)]
    }

    /// The elements of Q, K, V or O in the other order of streams and positions.
    func exchanged(_ elements: [Float], _ operand: Int, toInterleaved: Bool) -> [Float] {
      let (streams, positions, extent) = shapes[operand]
      var result = elements
      for item in 0..<batch {
        for stream in 0..<streams {
          for position in 0..<positions {
            let plain = ((item * streams + stream) * positions + position) * extent
            let other = ((item * positions + position) * streams + stream) * extent
            let (from, to) = toInterleaved ? (plain, other) : (other, plain)
            for column in 0..<extent { result[to + column] = elements[from + column] }
          }
        }
      }
      return result
    }
  }

  /// Extents that fill no vector or block, few streams of many queries, whose sums are divided, and all masks.
  static let cases = [
    Case(
      testDescription: "one block, a mask", batch: 2, heads: 4, groups: 4, queries: 30, keys: 30, depth: 16,
      width: 16, flags: 0b0011001),
    Case(
      testDescription: "odd extents, all masks", batch: 2, heads: 6, groups: 3, queries: 37, keys: 41,
      depth: 12,
      width: 20, flags: 0b1111111),
    Case(
      testDescription: "several blocks", batch: 1, heads: 2, groups: 1, queries: 389, keys: 261, depth: 8,
      width: 36, flags: 0b1000000),
    Case(
      testDescription: "few keys, a mask of queries", batch: 2, heads: 2, groups: 2, queries: 99, keys: 3,
      depth: 4, width: 4, flags: 0b0001101),
  ]

  /// What one run of both kernels gives: O, L, dQ, dK, dV, all in the plain order.
  private func results(
    _ example: Case, interleaved: Int, pool: ThreadPool = .shared,
    products: AttentionProducts = AttentionProducts()
  ) throws -> [[Float]] {
    var generator = Generator(seed: 7)
    func numbers(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
    }
    let counts = example.shapes.map { example.batch * $0.streams * $0.positions * $0.extent }
    func laid(_ elements: [Float], _ operand: Int) -> [Float] {
      interleaved & 1 << operand != 0 ? example.exchanged(elements, operand, toInterleaved: true) : elements
    }
    func plain(_ elements: [Float], _ operand: Int) -> [Float] {
      interleaved & 1 << operand != 0 ? example.exchanged(elements, operand, toInterleaved: false) : elements
    }
    // Memory that ends where the arrays do: an access beyond stops the process.
    func fenced(_ elements: [Float]) throws -> FencedMemory {
      let memory = try FencedMemory(byteCount: elements.count * 4)
      elements.withUnsafeBytes { memory.bytes.copyBytes(from: $0) }
      return memory
    }
    func elements(_ memory: FencedMemory) -> [Float] { Array(memory.bytes.bindMemory(to: Float.self)) }
    let inputs = try (0..<3).map { try fenced(laid(numbers(counts[$0]), $0)) }
    // A tenth of the mask forbids.
    let mask = try fenced(numbers(example.maskCount).map { $0 > 0.8 ? -.infinity : $0 })
    let lengths = try fenced(
      (0..<example.batch).map { Float(bitPattern: UInt32(example.keys - $0 * example.keys / 3)) })
    let rows = example.batch * example.heads * example.queries
    let nothing = [Float](repeating: .nan, count: counts.reduce(rows, +))
    func output(_ count: Int) throws -> FencedMemory { try fenced(Array(nothing[..<count])) }
    let upstream = try fenced(laid(numbers(counts[3]), 3))
    let delta = try fenced(numbers(rows))
    let (o, l) = (try output(counts[3]), try output(rows))
    let slopes = try (0..<3).map { try output(counts[$0]) }
    let parameters = example.parameters(interleaved: interleaved)
    return try withExtendedLifetime(inputs + [mask, lengths, delta, upstream, o, l] + slopes) {
      let bindings = (inputs + [mask, lengths]).map(\.bytes)
      let forward = try #require(AttentionForward(parameters, pool: pool, products: products))
      try forward.source.body(HostArguments(bindings: bindings + [o, l].map(\.bytes), pushConstants: []))
      let backward = try #require(AttentionBackward(parameters, pool: pool, products: products))
      let given = bindings + [delta, l, upstream].map(\.bytes) + slopes.map(\.bytes)
      try backward.source.body(HostArguments(bindings: given, pushConstants: []))
      return [plain(elements(o), 3), elements(l)] + slopes.enumerated().map { plain(elements($1), $0) }
    }
  }

  @Test(arguments: cases)
  func `operands that lie interleaved give the same bits, whichever they are`(example: Case) throws {
    let wanted = try results(example, interleaved: 0)
    #expect(wanted.allSatisfy { $0.allSatisfy(\.isFinite) && $0.contains { $0 != 0 } })
    for interleaved in 1..<16 {
      #expect(try results(example, interleaved: interleaved) == wanted, "operands \(interleaved)")
    }
  }

  @Test(arguments: cases)
  func `any number of threads gives the same bits`(example: Case) throws {
    let wanted = try results(example, interleaved: 15, pool: ThreadPool(threadCount: 1))
    for count in [2, 5] {
      #expect(try results(example, interleaved: 15, pool: ThreadPool(threadCount: count)) == wanted)
    }
  }

  @Test(arguments: cases)
  func `every level of instructions agrees with the formulas`(example: Case) throws {
    let wanted = try expected(example)
    for level in ProductKernels.Level.allCases {
      guard let products = AttentionProducts(level: level) else { continue }
      for (number, (got, want)) in zip(try results(example, interleaved: 5, products: products), wanted)
        .enumerated()
      {
        let size = want.reduce(1) { max($0, abs($1) > 1e30 ? 0 : abs($1)) }
        // Sums of some hundred terms below 1, and of a score's exponential.
        let problem = zip(got, want).first { value, expected in
          abs(Double(value) - expected) > 1e-5 * (abs(expected) > 1e30 ? abs(expected) : size)
        }
        #expect(problem == nil, "\(level), result \(number)")
      }
    }
  }

  /// The same results by plain loops in double precision, given the deltas and upstreams of `results`.
  private func expected(_ example: Case) throws -> [[Double]] {
    var generator = Generator(seed: 7)
    func numbers(_ count: Int) -> [Double] {
      (0..<count).map { _ in Double(Float.random(in: -1...1, using: &generator)) }
    }
    let counts = example.shapes.map { example.batch * $0.streams * $0.positions * $0.extent }
    let (q, k, v) = (numbers(counts[0]), numbers(counts[1]), numbers(counts[2]))
    let mask = numbers(example.maskCount).map { $0 > 0.8 ? -.infinity : $0 }
    let (upstream, delta) = (numbers(counts[3]), numbers(example.batch * example.heads * example.queries))
    var (o, l) = (upstream.map { _ in 0.0 }, delta.map { _ in -1.7e38 })
    var (dq, dk, dv) = (q.map { _ in 0.0 }, k.map { _ in 0.0 }, v.map { _ in 0.0 })
    let (depth, width, scale) = (example.depth, example.width, Double(Float(0.3)))
    for row in delta.indices {
      let (stream, query) = (row / example.queries, row % example.queries)
      let (item, head) = (stream / example.heads, stream % example.heads)
      let group = item * example.groups + head / (example.heads / example.groups)
      let count = example.flags & 32 != 0 ? example.keys - item * example.keys / 3 : example.keys
      var weights: [Double] = []
      for key in 0..<count where example.flags & 64 == 0 || key <= query {
        let other = group * example.keys + key
        var score = (0..<depth).reduce(0) { $0 + q[row * depth + $1] * k[other * depth + $1] } * scale
        if example.flags & 1 != 0 {
          var at = 0
          for (axis, place) in [item, head, query, key].enumerated() where example.flags & (2 << axis) != 0 {
            at = at * [example.batch, example.heads, example.queries, example.keys][axis] + place
          }
          score += mask[at]
        }
        weights.append(exp(score))
      }
      let sum = weights.reduce(0, +)
      guard sum > 0 else { continue }
      l[row] = log(sum)
      for (key, weight) in weights.enumerated() {
        let (other, share) = (group * example.keys + key, weight / sum)
        var change = -delta[row]
        for column in 0..<width {
          o[row * width + column] += share * v[other * width + column]
          dv[other * width + column] += share * upstream[row * width + column]
          change += upstream[row * width + column] * v[other * width + column]
        }
        for column in 0..<depth {
          dq[row * depth + column] += scale * share * change * k[other * depth + column]
          dk[other * depth + column] += scale * share * change * q[row * depth + column]
        }
      }
    }
    return [o, l, dq, dk, dv]
  }
}
