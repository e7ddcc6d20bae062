import HeklaArrays

extension PlanarPoints {
  /// The length of the closed tour through the points in this order.
  /// - Precondition: Each index is in `0..<count`.
  public func length(ofTour order: [Int]) -> Double {
    zip(order, order.dropFirst() + order.prefix(1)).reduce(0) {
      $0 + Self.distance(points[$1.0], points[$1.1])
    }
  }

  /// The shortest closed tour, from point 0 in the direction whose second index is less than its last.
  ///
  /// Where several are equally short, as where points coincide, one of them. Source: Held & Karp 1962, "A dynamic
  /// programming approach to sequencing problems": time and memory grow as 2^n.
  /// - Precondition: There are at most 16 points.
  public var shortestTour: [Int] {
    require(count <= 16, "shortestTour: \(count) points; 16 are the most")
    let (n, others) = (count, count - 1)
    let distances = points.flatMap { a in points.map { Self.distance(a, $0) } }
    // costs[set * others + j]: the shortest way from point 0 through all of `set` that ends in its member j; member j
    // of a set is point j + 1.
    let costs = [Double](unsafeUninitializedCapacity: others << others) { costs, count in
      distances.withUnsafeBufferPointer { distances in
        for set in 0..<(1 << others) {
          for j in 0..<others {
            let before = set & ~(1 << j)
            var best = set & (1 << j) != 0 && before == 0 ? distances[j + 1] : Double.infinity
            if set & (1 << j) != 0 {
              for i in 0..<others where before & (1 << i) != 0 {
                best = Swift.min(best, costs[before * others + i] + distances[(i + 1) * n + j + 1])
              }
            }
            costs.initializeElement(at: set * others + j, to: best)
          }
        }
      }
      count = others << others
    }
    var (tour, set, next) = ([Int](), (1 << others) - 1, 0)
    while set != 0 {
      let last = (0..<others).filter { set & (1 << $0) != 0 }.min {
        costs[set * others + $0] + distances[($0 + 1) * n + next]
          < costs[set * others + $1] + distances[($1 + 1) * n + next]
      }
      guard let last else { break }
      tour.append(last + 1)
      (set, next) = (set & ~(1 << last), last + 1)
    }
    return Self.directed([0] + tour)
  }

  /// The tour from point 0 that always goes on to the nearest point left, the first of equally near ones.
  public var nearestNeighborTour: [Int] {
    var (tour, left) = ([0], Array(1..<count))
    while !left.isEmpty {
      let here = points[tour[tour.count - 1]]
      let nearest = left.indices.min {
        Self.distance(here, points[left[$0]]) < Self.distance(here, points[left[$1]])
      }
      tour.append(left.remove(at: nearest ?? 0))
    }
    return tour
  }

  /// `tour` with pieces turned round as long as that makes it shorter, in the direction of `shortestTour`.
  ///
  /// Source: Croes 1958, "A method for solving traveling-salesman problems", 2-opt.
  public func improvedTour(_ tour: [Int]) -> [Int] {
    var (tour, n, isImproved) = (tour, tour.count, true)
    while isImproved {
      isImproved = false
      for i in 0..<(n - 1) {
        for j in (i + 1)..<n {
          let (a, b) = (points[tour[i]], points[tour[i + 1]])
          let (c, d) = (points[tour[j]], points[tour[(j + 1) % n]])
          let gain =
            Self.distance(a, b) + Self.distance(c, d) - Self.distance(a, c) - Self.distance(b, d)
          // Rounding must not turn a piece to and fro for ever.
          guard gain > 1e-12 * (Self.distance(a, b) + Self.distance(c, d)) else { continue }
          tour[(i + 1)...j].reverse()
          isImproved = true
        }
      }
    }
    n = tour.firstIndex(of: 0) ?? 0
    return Self.directed(Array(tour[n...] + tour[..<n]))
  }

  /// A tour from its first point, in the direction whose second index is less than its last.
  private static func directed(_ tour: [Int]) -> [Int] {
    tour[1] <= tour[tour.count - 1] ? tour : [tour[0]] + tour.dropFirst().reversed()
  }
}
