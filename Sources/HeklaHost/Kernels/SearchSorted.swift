import HeklaDevices

/// Where each sought element belongs in its row of sorted ones, by binary search.
///
/// Parameters: kind of element (see `OrderedKind`), rows, extent, sought per row, 1 for after equals.
/// Bindings: sorted [rows, extent], sought [rows, count], positions int32 [rows, count].
struct SearchSorted: Sendable {
  static let name = "search_sorted"

  private let kind: Int
  private let rows: Int
  private let extent: Int
  private let count: Int
  private let afterEquals: Bool

  init?(_ parameters: [Int]) {
    guard parameters.count == 5, parameters.allSatisfy({ $0 >= 0 }) else { return nil }
    (kind, rows, extent) = (parameters[0], parameters[1], parameters[2])
    (count, afterEquals) = (parameters[3], parameters[4] == 1)
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(kind) \(rows) \(extent) \(count) \(afterEquals)") {
      (arguments: HostArguments) throws(DeviceError) in
      try OrderedKind.dispatch(kind) { type throws(DeviceError) in try run(arguments, type) }
    }
  }

  private func run<Element: OrderKeyed>(_ arguments: HostArguments, _ type: Element.Type) throws(DeviceError)
  {
    let sorted = try arguments.elements(0, count: rows * extent, as: type, kernel: Self.name)
    let sought = try arguments.elements(1, count: rows * count, as: type, kernel: Self.name)
    let positions = try arguments.elements(2, count: rows * count, as: Int32.self, kernel: Self.name)
    let chunk = 1_024
    ThreadPool.shared.parallel(count: sought.count.chunks(of: chunk)) { number in
      for at in number * chunk..<min((number + 1) * chunk, sought.count) {
        let start = at / count * extent
        let key = sought[at].key(descending: false)
        var (low, high) = (0, extent)
        while low < high {
          let middle = (low + high) / 2
          let found = sorted[start + middle].key(descending: false)
          if afterEquals ? found <= key : found < key { low = middle + 1 } else { high = middle }
        }
        positions[at] = Int32(truncatingIfNeeded: low)
      }
    }
  }
}
