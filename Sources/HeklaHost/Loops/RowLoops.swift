import HeklaDevices

/// Loops that go over the same rows and are done together, some rows at a time: what one stores, the next one finds in
/// the cache.
///
/// A row normalized so is read from memory once, where loops one after another would read it once each. A row is any
/// part of the outermost points of the loops; what a row is of an array, its accesses tell.
public struct RowLoops: Sendable, Hashable {
  /// One of the loops.
  public struct Member: Sendable, Hashable {
    /// Reads what members before it stored at the same rows only.
    public var loop: Loop
    /// Whether the rows are the outermost points of its reduction, and not those of its parallel points: its results
    /// are sums over all rows, and no member reads them.
    public var foldsRows: Bool

    /// `loop`, as one that runs within rows or folds them.
    public init(_ loop: Loop, foldsRows: Bool) {
      self.loop = loop
      self.foldsRows = foldsRows
    }
  }

  /// The loops in order.
  public var members: [Member]
  /// The number of rows; that of each loop's parallel points, or of its reduction's, is a multiple.
  public var rowCount: Int
  /// The bytes of a row of each array that only the members use: those of the last bindings, which nobody binds.
  public var temporaryByteCounts: [Int]

  /// `members` over `rowCount` rows.
  public init(members: [Member], rowCount: Int, temporaryByteCounts: [Int]) {
    self.members = members
    self.rowCount = rowCount
    self.temporaryByteCounts = temporaryByteCounts
  }

  /// The host kernel `name` that runs the loops, compiled now.
  ///
  /// Loops that cannot run, because one is malformed or uses an operation on a type that has none, give a kernel that
  /// throws when it runs.
  public func source(name: String) -> HostSource { source(name: name, pool: .shared, library: .best) }

  /// The same on another pool of threads or another level of vector instructions.
  func source(name: String, pool: ThreadPool, library: BlockLibrary) -> HostSource {
    let runner: Result<any LoopRunner, DeviceError>
    do throws(DeviceError) {
      runner = .success(try RowRunner(self, library: library))
    } catch {
      runner = .failure(error)
    }
    let text = members.map { "\($0.foldsRows ? "across" : "within") \($0.loop.canonicalText)" }
    return HostSource(
      name: name,
      key: "rows \(library.name) \(rowCount) \(temporaryByteCounts) \(text.joined(separator: "\n"))",
      runner: runner, sizes: BindingSizes(members.map(\.loop), leavingOut: temporaryByteCounts.count),
      pool: pool)
  }
}
