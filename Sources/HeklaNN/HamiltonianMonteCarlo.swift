import HeklaArrays
import HeklaTensors

/// Samples of distributions known up to a factor, by Hamiltonian dynamics: many independent chains in one
/// step.
///
/// Each step draws momenta of unit mass, follows `leapfrogs` steps of the leapfrog integrator and accepts
/// where it ends with probability min(1, exp(H - H')). Source: Neal 2011, "MCMC using Hamiltonian dynamics",
/// section 3.2.
public struct HamiltonianMonteCarlo: Sendable {
  /// Where the chains are, `[chains, d]`.
  public let position: Parameter
  /// How far one leapfrog goes.
  public let stepSize: Double
  /// How many leapfrogs a step has.
  public let leapfrogs: Int
  private let potential: @Sendable (Tensor) -> Tensor

  /// Chains that start at `start`.
  /// - Parameters:
  ///   - start: Shape `[chains, d]`.
  ///   - stepSize: The time of a leapfrog, positive.
  ///   - leapfrogs: How many a step has, at least 1.
  ///   - potential: -log of the density, up to a constant, `[chains]`, of positions `[chains, d]`; that of a
  ///     chain depends on its own position alone.
  public init(
    from start: Tensor, stepSize: Double, leapfrogs: Int, file: StaticString = #fileID, line: UInt = #line,
    potential: @escaping @Sendable (Tensor) -> Tensor
  ) {
    require(
      start.rank == 2 && stepSize > 0 && leapfrogs > 0,
      "hamiltonian-monte-carlo: the start is \(start.signature), not [chains, d], or step size \(stepSize) and "
        + "\(leapfrogs) leapfrogs are not positive", file: file, line: line)
    position = Parameter(start)
    (self.stepSize, self.leapfrogs, self.potential) = (stepSize, leapfrogs, potential)
  }

  /// One step of all chains: where they are next, and which of them moved, `bool` `[chains]`.
  /// - Parameter key: A new one for each step.
  public func next(key: Tensor) -> (position: Tensor, isAccepted: Tensor) {
    let start = position.tensor
    var (q, p) = (start, Tensor.normal(start.shape, key: key.folded(in: 0)))
    func energy(_ q: Tensor, _ p: Tensor) -> Tensor { potential(q) + 0.5 * p.squared().sum(along: -1) }
    func force(_ q: Tensor) -> Tensor { gradients(of: potential(q).sum(), withRespectTo: [q])[0] }
    let before = energy(q, p)
    p = p - force(q) * (0.5 * stepSize)
    for number in 1...leapfrogs {
      q = q + p * stepSize
      p = p - force(q) * (number == leapfrogs ? 0.5 * stepSize : stepSize)
    }
    let u = Tensor.uniform([start.shape[0]], key: key.folded(in: 1))
    // An energy that is not a number, after a step far too long, compares false: rejected.
    let isAccepted = Tensor.map(u, before, energy(q, p)) { u, before, after in u .< .exp(before - after) }
    return (.map(isAccepted.expanded(at: -1), q, start) { .select($0, $1, $2) }, isAccepted)
  }
}
