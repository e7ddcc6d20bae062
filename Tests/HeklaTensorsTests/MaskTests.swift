import Foundation
import HeklaArrays
import HeklaTensors
import Testing

@Suite struct MaskTests {
  static let values = spread(12, seed: 41).map { $0 * 3 }
  static let kept = [true, false, true, true, false, false, false, false, true, true, true, true]
  let x = Tensor(values, shape: [3, 4])
  let mask = Tensor(kept, shape: [3, 4])

  static func row(_ row: Int) -> [(value: Double, isKept: Bool)] {
    (0..<4).map { (values[row * 4 + $0], kept[row * 4 + $0]) }
  }

  @Test func `A masked softmax is that of the elements that are left`() {
    let wanted = (0..<3).flatMap { row -> [Double] in
      let own = Self.row(row)
      let sum = own.filter(\.isKept).map { exp($0.value) }.reduce(0, +)
      return own.map { $0.isKept ? exp($0.value) / sum : 0 }
    }
    // The middle row has nothing left.
    #expect(wanted[4..<8].allSatisfy { $0 == 0 })
    #expect(agree(numbers(of: x.softmax(where: mask)), wanted, within: 1e-14))
    #expect(agree(numbers(of: x.logSoftmax(where: mask)), wanted.map { log($0) }, within: 1e-14))
    let columns = numbers(of: x.transposed().softmax(along: 0, where: mask.transposed()).transposed())
    #expect(agree(columns, wanted, within: 1e-14))
  }

  @Test func `What is masked may be anything, also for the gradient`() {
    let hidden = Tensor.input(0, Signature([4], .float64))
    let mask = Tensor([true, false, false, true])
    let loss = (hidden.softmax(where: mask) * Tensor([1.0, 2, 3, 4])).sum()
    let slope = gradients(of: loss, withRespectTo: [hidden])[0]
    let array = HostArray([1.0, .infinity, 1e300, 2])
    let share = 1 / (1 + exp(1.0))
    let found = numbers(of: slope, feeding: [hidden.node: array])
    #expect(agree(found, [-3 * share * (1 - share), 0, 0, 3 * share * (1 - share)], within: 1e-14))
    #expect(
      agree(
        numbers(of: hidden.softmax(where: mask), feeding: [hidden.node: array]), [share, 0, 0, 1 - share],
        within: 1e-14))
  }

  @Test func `Sums and means leave out what is masked`() {
    let sums = (0..<3).map { Self.row($0).filter(\.isKept).map(\.value).reduce(0, +) }
    #expect(agree(numbers(of: x.sum(along: [1], where: mask)), sums, within: 1e-14))
    #expect(
      agree(numbers(of: x.mean(along: [1], where: mask)), [sums[0] / 3, 0, sums[2] / 4], within: 1e-14))
    #expect(agree(numbers(of: x.mean(where: mask)), [(sums[0] + sums[2]) / 7], within: 1e-14))
    let row = Tensor([true, false, false, true])
    #expect(x.mean(along: [0], keepingAxes: true, where: row).shape == [1, 4])
  }

  @Test func `Lengths make masks`() {
    let lengths = Tensor([2, 0, 5] as [Int32], shape: [3, 1])
    #expect(
      numbers(of: .mask(lengths: lengths, extent: 3)) == [1, 1, 0, 0, 0, 0, 1, 1, 1])
    #expect(Tensor.mask(lengths: lengths, extent: 3).shape == [3, 1, 3])
  }

  @Test func `Gradients agree with central differences`() {
    let mask = mask
    #expect(gradientError(at: Self.values, [3, 4]) { $0.softmax(where: mask) } < 1e-8)
    #expect(
      gradientError(at: Self.values, [3, 4]) { $0.logSoftmax(where: mask).filled(with: 0, where: .!mask) }
        < 1e-8)
    #expect(gradientError(at: Self.values, [3, 4]) { $0.mean(along: [0], where: mask) } < 1e-8)
  }
}
