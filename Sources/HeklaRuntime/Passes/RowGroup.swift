import HeklaArrays
import HeklaHost
import HeklaTensors

/// Loops over the same rows that become one launch of the host.
struct RowGroup {
  /// The loops in order, and whether each folds the rows.
  private(set) var members: [(loop: BuiltLoop, foldsRows: Bool)]
  let rowCount: Int
  /// What comes from outside.
  private(set) var reads: [Node] = []
  /// What is needed outside.
  private(set) var writes: [Node] = []
  /// What only the members use.
  private(set) var temporaries: [Node] = []

  /// - Parameter isNeededOutside: Whether a result of a member has to be stored.
  init(_ members: [(loop: BuiltLoop, foldsRows: Bool)], rowCount: Int, isNeededOutside: (Node) -> Bool) {
    self.members = members
    self.rowCount = rowCount
    var written: Set<Node> = []
    var known: Set<Node> = []
    for (loop, _) in members {
      for node in loop.reads where !written.contains(node) && known.insert(node).inserted {
        reads.append(node)
      }
      for node in loop.roots {
        written.insert(node)
        if isNeededOutside(node) { writes.append(node) } else { temporaries.append(node) }
      }
    }
  }

  /// What the host is given: bindings are what is read, then what is written, then what only the members use.
  var loops: RowLoops {
    var bindings: [Node: Int] = [:]
    for (position, node) in (reads + writes + temporaries).enumerated() { bindings[node] = position }
    return RowLoops(
      members: members.map { built, foldsRows in
        let nodes = built.reads + built.roots
        func binding(_ old: Int) -> Int { bindings[nodes[old]] ?? -1 }
        var loop = built.loop
        for position in loop.reads.indices {
          loop.reads[position].binding = binding(loop.reads[position].binding)
        }
        for position in loop.writes.indices {
          loop.writes[position].binding = binding(loop.writes[position].binding)
        }
        return RowLoops.Member(loop, foldsRows: foldsRows)
      }, rowCount: rowCount,
      temporaryByteCounts: temporaries.map { $0.signature.byteCount / rowCount })
  }
}
