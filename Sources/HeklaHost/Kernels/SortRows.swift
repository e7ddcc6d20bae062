import HeklaDevices

/// Each row sorted, stably, and the first elements of it with their positions.
///
/// Parameters: kind of element (see `OrderedKind`), rows, extent, how many are kept, 1 for descending.
/// Bindings: values [rows, extent], sorted [rows, kept], positions int32 [rows, kept].
///
/// 32-bit keys are joined with positions to one word, so short rows are sorted by comparing words and long
/// ones by three radix passes of 11 bits. Rows run in parallel; the passes over a row that is alone do too.
/// A stable order is unique, so it does not depend on the cuts between threads.
struct SortRows: Sendable {
  static let name = "sort_rows"

  private let kind: Int
  private let rows: Int
  private let extent: Int
  private let kept: Int
  private let descending: Bool

  init?(_ parameters: [Int]) {
    guard parameters.count == 5, parameters.allSatisfy({ $0 >= 0 }), parameters[3] <= parameters[2] else {
      return nil
    }
    (kind, rows, extent) = (parameters[0], parameters[1], parameters[2])
    (kept, descending) = (parameters[3], parameters[4] == 1)
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(kind) \(rows) \(extent) \(kept) \(descending)") {
      (arguments: HostArguments) throws(DeviceError) in
      try OrderedKind.dispatch(kind) { type throws(DeviceError) in try run(arguments, type) }
    }
  }

  private func run<Element: OrderKeyed>(_ arguments: HostArguments, _ type: Element.Type) throws(DeviceError)
  {
    let values = try arguments.elements(0, count: rows * extent, as: type, kernel: Self.name)
    let sorted = try arguments.elements(1, count: rows * kept, as: type, kernel: Self.name)
    let positions = try arguments.elements(2, count: rows * kept, as: Int32.self, kernel: Self.name)
    guard let from = values.baseAddress, let to = sorted.baseAddress, let places = positions.baseAddress
    else { return }
    let isLong = extent > 1 << 16
    func sort(_ row: Int) {
      let (from, to, places) = (from + row * extent, to + row * kept, places + row * kept)
      if Element.keyBits == 64 { return sortWide(from, to, places) }
      let pairs = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: extent)
      defer { pairs.deallocate() }
      let chunks = isLong ? extent.chunks(of: PairSort.chunk) : 1
      ThreadPool.shared.parallel(count: chunks) { chunk in
        let first = chunks == 1 ? 0 : chunk * PairSort.chunk
        for i in first..<(chunks == 1 ? extent : min(first + PairSort.chunk, extent)) {
          pairs[i] = from[i].key(descending: descending) << 32 | UInt64(UInt32(truncatingIfNeeded: i))
        }
      }
      PairSort.sort(pairs)
      for i in 0..<kept {
        let place = Int(UInt32(truncatingIfNeeded: pairs[i]))
        to[i] = from[place]
        places[i] = Int32(truncatingIfNeeded: place)
      }
    }
    // A row that is long enough to be sorted in parallel is not worth giving to one thread.
    if isLong {
      for row in 0..<rows { sort(row) }
    } else {
      let chunk = max(1, 8_192 / max(extent, 1))
      ThreadPool.shared.parallel(count: rows.chunks(of: chunk)) { number in
        for row in number * chunk..<min((number + 1) * chunk, rows) { sort(row) }
      }
    }
  }

  private func sortWide<Element: OrderKeyed>(
    _ from: UnsafeMutablePointer<Element>, _ to: UnsafeMutablePointer<Element>,
    _ places: UnsafeMutablePointer<Int32>
  ) {
    var pairs = (0..<extent).map { (key: from[$0].key(descending: descending), place: $0) }
    pairs.sort { $0 < $1 }
    for i in 0..<kept {
      to[i] = from[pairs[i].place]
      places[i] = Int32(truncatingIfNeeded: pairs[i].place)
    }
  }
}

/// Sorts words by their upper half, stably in the order of the lower, which ascends.
enum PairSort {
  /// The words that one task of a parallel pass handles.
  static let chunk = 1 << 16

  private static let digitBits = 11
  private static let digits = 1 << digitBits

  static func sort(_ pairs: UnsafeMutableBufferPointer<UInt64>) {
    if pairs.count <= 32 { return insert(pairs) }
    // Where the passes' counters are more than the words, comparisons are cheaper.
    if pairs.count < 1_024 {
      var words = pairs
      return words.sort()
    }
    let other = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: pairs.count)
    defer { other.deallocate() }
    let chunks = pairs.count.chunks(of: chunk)
    let counts = UnsafeMutablePointer<Int32>.allocate(capacity: chunks * digits)
    defer { counts.deallocate() }
    var (source, target) = (pairs, other)
    for shift in stride(from: 32, to: 64, by: digitBits)
    where pass(source, target, shift: UInt64(shift), counts, chunks) {
      swap(&source, &target)
    }
    if source.baseAddress != pairs.baseAddress { _ = pairs.update(from: source) }
  }

  private static func insert(_ pairs: UnsafeMutableBufferPointer<UInt64>) {
    for i in pairs.indices.dropFirst() {
      let pair = pairs[i]
      var place = i
      while place > 0, pairs[place - 1] > pair {
        pairs[place] = pairs[place - 1]
        place -= 1
      }
      pairs[place] = pair
    }
  }

  /// One pass; false where all words have one digit and nothing was moved.
  private static func pass(
    _ source: UnsafeMutableBufferPointer<UInt64>, _ target: UnsafeMutableBufferPointer<UInt64>, shift: UInt64,
    _ counts: UnsafeMutablePointer<Int32>, _ chunks: Int
  ) -> Bool {
    let mask = UInt64(digits - 1)
    ThreadPool.shared.parallel(count: chunks) { number in
      let own = counts + number * digits
      own.update(repeating: 0, count: digits)
      for i in number * chunk..<min((number + 1) * chunk, source.count) {
        own[Int(source[i] >> shift & mask)] += 1
      }
    }
    var total: Int32 = 0
    for digit in 0..<digits {
      let before = total
      for number in 0..<chunks {
        let count = counts[number * digits + digit]
        counts[number * digits + digit] = total
        total += count
      }
      if Int(total - before) == source.count { return false }
    }
    ThreadPool.shared.parallel(count: chunks) { number in
      let own = counts + number * digits
      for i in number * chunk..<min((number + 1) * chunk, source.count) {
        let digit = Int(source[i] >> shift & mask)
        target[Int(own[digit])] = source[i]
        own[digit] += 1
      }
    }
    return true
  }
}

extension Int {
  /// How many chunks of `size` it takes to hold this many.
  func chunks(of size: Int) -> Int { (self + size - 1) / size }
}
