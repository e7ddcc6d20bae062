import HeklaDevices

/// An element that running folds take, and what they carry from one to the next.
protocol ScanElement: BitwiseCopyable, Sendable {
  /// As precise as memory allows: double for float.
  associatedtype Carried: BitwiseCopyable
  var carried: Carried { get }
  init(carried: Carried)
  static func runningSum(_ earlier: Carried, _ later: Carried) -> Carried
  static func runningProduct(_ earlier: Carried, _ later: Carried) -> Carried
  static func runningMaximum(_ earlier: Carried, _ later: Carried) -> Carried
  static func runningMinimum(_ earlier: Carried, _ later: Carried) -> Carried
}

extension ScanElement where Carried: BinaryFloatingPoint {
  @inline(__always) static func runningSum(_ earlier: Carried, _ later: Carried) -> Carried {
    earlier + later
  }
  @inline(__always) static func runningProduct(_ earlier: Carried, _ later: Carried) -> Carried {
    earlier * later
  }
  @inline(__always) static func runningMaximum(_ earlier: Carried, _ later: Carried) -> Carried {
    later > earlier || later.isNaN ? later : earlier
  }
  @inline(__always) static func runningMinimum(_ earlier: Carried, _ later: Carried) -> Carried {
    later < earlier || later.isNaN ? later : earlier
  }
}

extension ScanElement where Carried: FixedWidthInteger {
  @inline(__always) static func runningSum(_ earlier: Carried, _ later: Carried) -> Carried {
    earlier &+ later
  }
  @inline(__always) static func runningProduct(_ earlier: Carried, _ later: Carried) -> Carried {
    earlier &* later
  }
  @inline(__always) static func runningMaximum(_ earlier: Carried, _ later: Carried) -> Carried {
    max(earlier, later)
  }
  @inline(__always) static func runningMinimum(_ earlier: Carried, _ later: Carried) -> Carried {
    min(earlier, later)
  }
}

extension ScanElement where Carried == Self {
  @inline(__always) var carried: Carried { self }
  @inline(__always) init(carried: Carried) { self = carried }
}

extension Float: ScanElement {
  @inline(__always) var carried: Double { Double(self) }
  @inline(__always) init(carried: Double) { self = Float(carried) }
}
extension Double: ScanElement { typealias Carried = Double }
extension Int32: ScanElement { typealias Carried = Int32 }
extension UInt32: ScanElement { typealias Carried = UInt32 }
extension Int64: ScanElement { typealias Carried = Int64 }

/// Each element folded with all before it along the middle axis.
///
/// Parameters: kind of element (see `OrderedKind`), fold (sum, product, maximum, minimum), 1 for reversed, outer,
/// extent, inner. Bindings: values [outer, extent, inner], results, the same.
///
/// Sums and products of float carry double. Rows run in parallel; few long ones are cut into chunks of fixed
/// length whose totals are folded first. Where the axis is not the innermost, stretches of columns run together.
struct Scan: Sendable {
  static let name = "scan"

  /// The elements in a chunk of a long row.
  private static let chunk = 1 << 16
  /// The columns that run together.
  private static let stretch = 128

  private let kind: Int
  private let fold: Int
  private let isReversed: Bool
  private let outer: Int
  private let extent: Int
  private let inner: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 6, parameters.allSatisfy({ $0 >= 0 }), parameters[1] < 4 else { return nil }
    (kind, fold, isReversed) = (parameters[0], parameters[1], parameters[2] == 1)
    (outer, extent, inner) = (parameters[3], parameters[4], parameters[5])
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(kind) \(fold) \(isReversed) \(outer) \(extent) \(inner)") {
      (arguments: HostArguments) throws(DeviceError) in
      try OrderedKind.dispatch(kind) { type throws(DeviceError) in try run(arguments, type) }
    }
  }

  private func run<Element: ScanElement>(_ arguments: HostArguments, _ type: Element.Type) throws(DeviceError)
  {
    // A closure per fold, so that each loop is compiled with its own.
    switch fold {
    case 0: try run(arguments, type) { Element.runningSum($0, $1) }
    case 1: try run(arguments, type) { Element.runningProduct($0, $1) }
    case 2: try run(arguments, type) { Element.runningMaximum($0, $1) }
    default: try run(arguments, type) { Element.runningMinimum($0, $1) }
    }
  }

  @inline(__always)
  private func run<Element: ScanElement>(
    _ arguments: HostArguments, _ type: Element.Type,
    _ join: @Sendable (Element.Carried, Element.Carried) -> Element.Carried
  ) throws(DeviceError) {
    let count = outer * extent * inner
    let values = try arguments.elements(0, count: count, as: type, kernel: Self.name)
    let results = try arguments.elements(1, count: count, as: type, kernel: Self.name)
    guard count > 0, let from = values.baseAddress, let to = results.baseAddress else { return }
    if inner > 1 {
      scanColumns(from, to, join)
    } else if outer < 4, extent > 2 * Self.chunk {
      for row in 0..<outer { scanLong(from + row * extent, to + row * extent, join) }
    } else {
      let rows = max(1, 32_768 / extent)
      ThreadPool.shared.parallel(count: outer.chunks(of: rows)) { number in
        for row in number * rows..<min((number + 1) * rows, outer) {
          scanRun(from + row * extent, to + row * extent, 0..<extent, after: nil, join)
        }
      }
    }
  }

  /// Elements `range`, counted in the direction of the scan, of one row.
  @inline(__always)
  private func scanRun<Element: ScanElement>(
    _ from: UnsafeMutablePointer<Element>, _ to: UnsafeMutablePointer<Element>, _ range: Range<Int>,
    after before: Element.Carried?, _ join: (Element.Carried, Element.Carried) -> Element.Carried
  ) {
    let step = isReversed ? -1 : 1
    var at = isReversed ? extent - 1 - range.lowerBound : range.lowerBound
    var carried = from[at].carried
    if let before { carried = join(before, carried) }
    to[at] = Element(carried: carried)
    for _ in 1..<range.count {
      at += step
      carried = join(carried, from[at].carried)
      to[at] = Element(carried: carried)
    }
  }

  @inline(__always)
  private func scanLong<Element: ScanElement>(
    _ from: UnsafeMutablePointer<Element>, _ to: UnsafeMutablePointer<Element>,
    _ join: (Element.Carried, Element.Carried) -> Element.Carried
  ) {
    let chunks = extent.chunks(of: Self.chunk)
    let totals = UnsafeMutablePointer<Element.Carried>.allocate(capacity: chunks)
    defer { totals.deallocate() }
    func range(_ number: Int) -> Range<Int> { number * Self.chunk..<min((number + 1) * Self.chunk, extent) }
    ThreadPool.shared.parallel(count: chunks) { number in
      let run = range(number)
      var total = from[isReversed ? extent - 1 - run.lowerBound : run.lowerBound].carried
      for i in run.dropFirst() { total = join(total, from[isReversed ? extent - 1 - i : i].carried) }
      (totals + number).initialize(to: total)
    }
    for number in 1..<chunks { totals[number] = join(totals[number - 1], totals[number]) }
    ThreadPool.shared.parallel(count: chunks) { number in
      scanRun(from, to, range(number), after: number == 0 ? nil : totals[number - 1], join)
    }
  }

  @inline(__always)
  private func scanColumns<Element: ScanElement>(
    _ from: UnsafeMutablePointer<Element>, _ to: UnsafeMutablePointer<Element>,
    _ join: (Element.Carried, Element.Carried) -> Element.Carried
  ) {
    let stretches = inner.chunks(of: Self.stretch)
    ThreadPool.shared.parallel(count: outer * stretches) { number in
      let first = number % stretches * Self.stretch
      let width = min(Self.stretch, inner - first)
      let start = number / stretches * extent * inner + first
      withUnsafeTemporaryAllocation(of: Element.Carried.self, capacity: width) { carried in
        for i in 0..<extent {
          let row = start + (isReversed ? extent - 1 - i : i) * inner
          for column in 0..<width {
            let value = from[row + column].carried
            let joined = i == 0 ? value : join(carried[column], value)
            carried[column] = joined
            to[row + column] = Element(carried: joined)
          }
        }
      }
    }
  }
}
