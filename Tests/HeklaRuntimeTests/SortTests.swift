import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

@Suite struct SortTests {
  /// Rows around powers of two, with duplicates, NaN, infinities and both zeros.
  static func rows(_ count: Int, _ extent: Int, seed: UInt64) -> [Float] {
    let key = RandomKey(seed: seed)
    let special: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 1, 1]
    return (0..<count * extent).map { index in
      let uniform = Float(key.uniform(at: index))
      return uniform < 0.2 ? special[Int(uniform * 35) % 7] : (uniform * 64).rounded() - 32
    }
  }

  @Test(arguments: TestDevice.present)
  func `sorted rows agree with the reference whatever the length and the values`(device: TestDevice) throws {
    try device.run { executor in
      for extent in [1, 2, 31, 32, 33, 64, 1_023, 1_024, 1_025] {
        let x = Tensor(Self.rows(3, extent, seed: UInt64(extent)), shape: [3, extent])
        let top = x.topK(min(extent, 5), along: 1)
        let outputs = [
          x.sorted(along: 1), x.argumentSorted(along: 1), x.argumentSorted(along: 1, descending: true),
          top.values, top.positions,
        ]
        let step = try executor.compile(StepDescription(outputs: outputs))
        let got = try step.run()
        for (got, wanted) in zip(got, referenceValues(of: outputs)) {
          // NaN equals NaN here: only the order is at stake, since sorts copy elements.
          let pairs = zip(got.doubles(), wanted.doubles())
          #expect(pairs.allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }, "\(device.name) extent \(extent)")
        }
        #expect(try step.run() == got)
      }
    }
  }

  @Test func `equal, descending and ascending rows keep their order where elements are equal`() throws {
    let executor = try TestDevice.cpu.executor()
    for count in [1, 7, 500, 5_000] {
      let equal = try executor.values(of: [Tensor.zeros([count]).argumentSorted()])[0]
      #expect(equal.elements(as: Int32.self) == (0..<Int32(count)).map { $0 })
      let falling = Tensor((0..<count).map { Float(count - $0) })
      let rising = try executor.values(of: [falling.argumentSorted()])[0]
      #expect(rising.elements(as: Int32.self) == (0..<Int32(count)).reversed())
    }
  }

  @Test func `a million elements are in order and each position occurs once`() throws {
    let executor = try TestDevice.cpu.executor()
    let x = Tensor.normal([1_000_000], key: RandomKey(seed: 4))
    let (values, positions) = x.topK(1_000_000, smallest: true)
    let got = try executor.values(of: [x, values, positions])
    let (source, sorted, places) = (
      got[0].elements(as: Float.self), got[1].elements(as: Float.self), got[2].elements(as: Int32.self)
    )
    #expect(sorted == source.sorted())
    #expect(zip(sorted, places).allSatisfy { source[Int($1)] == $0 })
    #expect(Set(places).count == 1_000_000)
  }

  @Test func `int64 and float64 are sorted on the host`() throws {
    let executor = try TestDevice.cpu.executor()
    let whole = Tensor([Int64.max, -1, .min, 0, 7, 0])
    let real = Tensor([1e300, -.infinity, .nan, -1e-300, 0])
    let got = try executor.values(of: [whole.sorted(), real.argumentSorted(descending: true)])
    #expect(got[0].elements(as: Int64.self) == [.min, -1, 0, 0, 7, .max])
    #expect(got[1].elements(as: Int32.self) == [0, 4, 3, 1, 2])
  }

  @Test(arguments: TestDevice.present)
  func `a permutation holds every number once and depends on the key`(device: TestDevice) throws {
    try device.run { executor in
      let keys = [RandomKey(seed: 1), RandomKey(seed: 2)]
      let got = try executor.values(of: keys.map { .permutation(100, key: $0) }).map {
        $0.elements(as: Int32.self)
      }
      #expect(got.allSatisfy { $0.sorted() == (0..<100).map { $0 } } && got[0] != got[1])
    }
  }

  @Test func `the gradient of sorted values goes back to where they came from, twice`() {
    let x = Tensor([3, 1, 2, 5, 4, 6] as [Float], shape: [2, 3])
    let weights = Tensor([1, 10, 100] as [Float])
    let first = gradients(of: (x.sorted().squared() * weights).sum(), withRespectTo: [x])[0]
    #expect(referenceValues(of: [first])[0].doubles() == [600, 2, 40, 100, 8, 1_200])
    let second = gradients(of: first.sum(), withRespectTo: [x])[0]
    #expect(referenceValues(of: [second])[0].doubles() == [200, 2, 20, 20, 2, 200])
  }

  @Test func `no elements give no elements`() {
    #expect(Tensor.zeros([0, 3]).sorted(along: 0).shape == [0, 3])
    #expect(Tensor.zeros([2, 3]).topK(0).positions.shape == [2, 0])
  }
}
