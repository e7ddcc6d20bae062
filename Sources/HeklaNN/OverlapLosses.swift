import HeklaArrays
import HeklaTensors

/// 2 sum p t / (sum p + sum t): how much two sets, or two maps of probabilities, overlap, from 0 to 1.
///
/// Source: Dice 1945, "Measures of the amount of ecologic association between species".
/// - Parameters:
///   - predictions: Each in 0...1, of any shape.
///   - targets: Of the same shape and type.
///   - axes: Along which a set extends, along all when nil.
///   - smoothing: What is added to numerator and denominator; two empty sets without it overlap by 1.
/// - Returns: The shape without `axes`.
public func diceCoefficient(
  _ predictions: Tensor, _ targets: Tensor, along axes: [Int]? = nil, smoothing: Double = 0,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    predictions.signature == targets.signature,
    "dice: predictions \(predictions.signature) and targets \(targets.signature) must be alike", file: file,
    line: line)
  let common = (predictions * targets).sum(along: axes)
  let total = (predictions + targets).sum(along: axes)
  return .map(common, total) { common, total in
    let divisor = total + Scalar(smoothing)
    let isEmpty = divisor .== .constant(0, total.type)
    return .select(isEmpty, 1, (2 * common + Scalar(smoothing)) / .select(isEmpty, 1, divisor))
  }
}

/// 1 less the overlap of maps of probabilities with sets: `diceCoefficient`.
///
/// Source: Milletari et al. 2016, "V-Net", section 3, with sums in place of sums of squares.
/// - Parameters:
///   - probabilities: Shape `[..., spatial...]`, each in 0...1.
///   - targets: Of the same shape and type, 0 or 1.
///   - axes: The spatial axes.
///   - smoothing: What is added to numerator and denominator, so that small sets do not weigh without bound.
///   - reduction: What becomes of the losses of single maps.
public func diceLoss(
  probabilities: Tensor, targets: Tensor, along axes: [Int], smoothing: Double = 1,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  reduction(
    1 - diceCoefficient(probabilities, targets, along: axes, smoothing: smoothing, file: file, line: line))
}
