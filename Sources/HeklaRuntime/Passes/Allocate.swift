/// Where values of limited lifetime lie in a few large buffers.
struct Allocation {
  /// One value: its size, and the first and last step that touches it.
  struct Request {
    var byteCount: Int
    var lifetime: ClosedRange<Int>
  }

  /// A place in one of the buffers.
  struct Place: Hashable {
    var arena: Int
    var offset: Int
  }

  /// The place of each request, in order.
  private(set) var places: [Place]
  /// The size of each buffer.
  private(set) var arenaByteCounts: [Int] = []

  /// Places all requests, the largest first, each at the lowest offset where nothing else lies while it lives.
  ///
  /// Source: the greedy-by-size strategy of Pisarchyk & Lee 2020, "Efficient memory management for deep neural
  /// net inference", section 5.
  /// - Parameters:
  ///   - requests: The values.
  ///   - alignment: What every offset is a multiple of.
  ///   - maxByteCount: The most bytes in one buffer; larger single values get a buffer of their own.
  ///   - reuses: Whether values may share memory at different times.
  init(_ requests: [Request], alignment: Int, maxByteCount: Int, reuses: Bool) {
    places = Array(repeating: Place(arena: 0, offset: 0), count: requests.count)
    let order = requests.indices.sorted {
      (-requests[$0].byteCount, requests[$0].lifetime.lowerBound, $0)
        < (-requests[$1].byteCount, requests[$1].lifetime.lowerBound, $1)
    }
    var placed: [[Int]] = []
    for index in order {
      let request = requests[index]
      let size = (request.byteCount + alignment - 1) / alignment * alignment
      var arena = 0
      while true {
        if arena == placed.count {
          placed.append([])
          arenaByteCounts.append(0)
        }
        var offset = 0
        let others = placed[arena]
          .filter { !reuses || requests[$0].lifetime.overlaps(request.lifetime) }
          .sorted { places[$0].offset < places[$1].offset }
        for other in others where offset + size > places[other].offset {
          offset = max(
            offset, (places[other].offset + requests[other].byteCount + alignment - 1) / alignment * alignment
          )
        }
        if offset + size <= maxByteCount || placed[arena].isEmpty {
          places[index] = Place(arena: arena, offset: offset)
          placed[arena].append(index)
          arenaByteCounts[arena] = max(arenaByteCounts[arena], offset + size)
          break
        }
        arena += 1
      }
    }
  }
}
