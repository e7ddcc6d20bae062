import HeklaTensors

/// Shares equal subcomputations, so that what was written twice is done once.
func simplify(_ computation: Computation) -> Computation {
  var shared = computation.roots.sharingSubexpressions().makeIterator()
  return computation.mappingRoots { shared.next() ?? $0 }
}
