/// A sum of `Double`s as if it were computed in twice the precision and rounded once.
///
/// A reference for `float64` results has to be more exact than they are.
///
/// Source: Ogita, Rump & Oishi 2005, "Accurate sum and dot product", algorithms 4.3 and 5.3.
struct CompensatedSum {
  private var sum = 0.0
  private var correction = 0.0

  /// The sum so far.
  var value: Double { sum + correction }

  /// Adds a number.
  @inline(__always)
  mutating func add(_ term: Double) {
    let next = sum + term
    let part = next - sum
    correction += (sum - (next - part)) + (term - part)
    sum = next
  }

  /// Adds the exact product of two numbers.
  @inline(__always)
  mutating func add(_ left: Double, times right: Double) {
    let product = left * right
    correction += (-product).addingProduct(left, right)
    add(product)
  }
}
