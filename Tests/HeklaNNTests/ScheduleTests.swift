import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct ScheduleTests {
  func rates(_ schedule: some LearningRate, _ counts: [Int32]) -> [Double] {
    counts.map { values(schedule.rate(afterSteps: Tensor([$0], shape: [])))[0] }
  }

  // Literals that meet in one expression are folded in single precision.
  let tolerance = 1e-7

  @Test func `Rates that follow the count of steps`() {
    #expect(rates(0.25, [0, 7]) == [0.25, 0.25])
    #expect(
      agree(rates(.linear(from: 1, to: 0.2, over: 4), [0, 1, 4, 9]), [1, 0.8, 0.2, 0.2], within: tolerance))
    #expect(
      agree(
        rates(.cosine(from: 1, to: 0.1, over: 8), [0, 2, 4, 8, 100]),
        [1, 0.55 + 0.45 * cos(Double.pi / 4), 0.55, 0.1, 0.1], within: tolerance))
    #expect(
      agree(
        rates(.stepped(from: 2, by: 0.5, every: 3), [0, 2, 3, 5, 6]), [2, 2, 1, 1, 0.5], within: tolerance))
    #expect(
      agree(
        rates(.stepped(from: 2, by: 0.1, at: [3, 5]), [2, 3, 4, 5, 50]), [2, 0.2, 0.2, 0.02, 0.02],
        within: tolerance))
  }

  @Test func `Rates that fall for ever, or to a floor`() {
    #expect(
      agree(
        rates(.exponential(from: 2, by: 0.25, every: 4, floor: 0.3), [0, 2, 4, 8]), [2, 1, 0.5, 0.3],
        within: tolerance))
    #expect(
      agree(
        rates(.inverseSquareRoot(peak: 3, warmup: 4), [0, 1, 3, 15, 35]), [0.75, 1.5, 3, 1.5, 1],
        within: tolerance))
  }

  @Test func `A warm-up delays the schedule behind it`() {
    let schedule: some LearningRate = .linear(from: 1, to: 0, over: 10).warmedUp(over: 4)
    #expect(agree(rates(schedule, [0, 1, 3, 4, 5, 14]), [0.25, 0.5, 1, 1, 0.9, 0], within: tolerance))
  }

  @Test func `A rate may be a number, a tensor or a parameter, and each may be warmed up`() {
    let held = Parameter(.full([], 0.5))
    let tensor = held.rate(afterSteps: .zeros([], .int32))
    #expect(values(tensor) == [0.5])
    #expect(values(tensor, feeding: [held.tensor.node: HostArray(scalar: 0.125)]) == [0.125])
    #expect(rates(Tensor.full([], 3), [5]) == [3])
    #expect(rates(4.0.warmedUp(over: 2), [0, 1, 2]) == [2, 4, 4])
  }
}
