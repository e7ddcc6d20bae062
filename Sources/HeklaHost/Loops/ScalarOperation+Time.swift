import CHostLoops
import HeklaArrays

extension ScalarOperation {
  /// Nanoseconds per element of `type`, roughly, on one core of a current processor.
  func nanoseconds(of type: HostType) -> Double {
    let width = Double(type.byteCount) / 4
    switch self {
    case .exp, .expm1, .log, .log1p, .sin, .cos, .tan, .tanh, .asin, .acos, .atan, .sinh, .cosh, .erf:
      return type == HOST_FLOAT64 ? 10 : 0.5
    case .power, .atan2: return type == HOST_FLOAT64 ? 20 : 1.5
    case .remainder: return type == HOST_INT32 || type == HOST_UINT32 ? 0.5 : 5
    case .divide, .sqrt, .reciprocalSquareRoot: return type == HOST_INT64 ? 3 : 0.2 * width
    case .threefryFirst, .threefrySecond: return 1
    default: return 0.05 * width
    }
  }
}
