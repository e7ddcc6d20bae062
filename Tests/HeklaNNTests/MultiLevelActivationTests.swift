import Foundation
import HeklaArrays
import HeklaNN
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

@Suite struct MultiLevelActivationTests {
  private static let f = MultiLevelActivation(classCount: 3, steepness: 5)

  @Test func `f is a sum of sigmoids about 1/2, 3/2 and 5/2, and the log-odds are their arguments`() {
    let x = numbers(24, seed: 1).map { 4 * $0 + 1 }
    let given = constant(x, [2, 1, 3, 4])
    let thresholds = [0.5, 1.5, 2.5]
    func share(_ x: Double, _ t: Double) -> Double { 1 / (1 + exp(-5 * (x - t))) }
    let sum = x.map { x in thresholds.map { share(x, $0) }.reduce(0, +) }
    #expect(agree(values(Self.f(given)), sum, within: 1e-14))
    let logits = Self.f.logits(given)
    #expect(logits.shape == [2, 3, 3, 4])
    let wanted = (0..<72).map { place -> Double in
      let (example, k) = (place / 36, place / 12 % 3)
      return 5 * (x[example * 12 + place % 12] - thresholds[k])
    }
    #expect(agree(values(logits), wanted, within: 1e-13))
    let labels = values(Self.f.labels(given))
    #expect(labels == x.map { x in Double(thresholds.count { x > $0 }) })
  }

  @Test func `On plateaus f is a whole number, which is the label`() {
    let steep = MultiLevelActivation(classCount: 3, steepness: 40)
    let x = constant([-5, 0, 1, 2, 3, 9], [6, 1])
    // exp(-20) is 2e-9.
    #expect(agree(values(steep(x)), [0, 0, 1, 2, 3, 3], within: 1e-8))
    #expect(values(steep.labels(x)) == [0, 0, 1, 2, 3, 3])
  }

  @Test(arguments: TestDevice.present)
  func `f never falls, and P(class >= k) never grows with k, whatever x is`(device: TestDevice) throws {
    let count = 4001
    let grid = (0..<count).map { Float($0 - 2000) / 100 } + [-.infinity, .infinity, 1e30, -1e30, 1e-30]
    let x = Tensor(grid, shape: [grid.count, 1])
    try device.run { executor in
      let found = try executor.values(of: [Self.f(x), Self.f.logits(x).sigmoid()]).map { $0.doubles() }
      #expect(zip(found[0].prefix(count), found[0].prefix(count).dropFirst()).allSatisfy { $0 <= $1 })
      #expect(found[0].allSatisfy { $0 >= 0 && $0 <= 3 })
      for row in grid.indices {
        let p = found[1][row * 3..<row * 3 + 3]
        #expect(zip(p, p.dropFirst()).allSatisfy { $0 >= $1 }, "at \(grid[row]): \(p)")
      }
    }
  }

  @Test func `Gradients agree with central differences`() {
    let weights = constant(numbers(36, seed: 3), [2, 3, 6])
    let start = numbers(12, seed: 2).map { 2 * $0 + 1.5 }
    #expect(gradientError(start, [2, 1, 6]) { Self.f($0).squared().sum() } < 1e-8)
    #expect(gradientError(start, [2, 1, 6]) { (Self.f.logits($0).sigmoid() * weights).sum() } < 1e-8)
  }
}
