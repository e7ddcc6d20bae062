import HeklaArrays
import HeklaData
import Testing

@Suite("Gzip")
struct GzipTests {
  /// Enough incompressible bytes for several pieces of any buffer: words of a counter-based generator.
  static let noise: [UInt8] = {
    var state: UInt64 = 1
    return (0..<700_000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }()

  @Test("Packing and unpacking gives the same bytes", arguments: [0, 1, 1000, 262_144, 262_145, 700_000])
  func roundTrip(count: Int) throws {
    let bytes = Array(Self.noise.prefix(count))
    #expect(try Gzip.decompressed(Gzip.compressed(bytes)) == bytes)
  }

  @Test("A stream that another program wrote is unpacked")
  func foreignStream() throws {
    // printf 'hekla\n' | gzip -n, with a stored name added by hand: flag 8, then "a" and a zero byte.
    let packed: [UInt8] = [
      0x1f, 0x8b, 0x08, 0x08, 0, 0, 0, 0, 0, 0x03, 0x61, 0,
      0xcb, 0x48, 0xcd, 0xce, 0x49, 0xe4, 0x02, 0x00, 0x17, 0x25, 0x6e, 0x35, 0x06, 0, 0, 0,
    ]
    #expect(try Gzip.decompressed(packed) == Array("hekla\n".utf8))
  }

  @Test("Equal bytes are packed to equal bytes, and a run of zeros to few")
  func packing() throws {
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    let packed = try Gzip.compressed(zeros)
    #expect(packed == (try Gzip.compressed(zeros)))
    #expect(packed.count < 2000)
    #expect(try Gzip.decompressed(packed) == zeros)
  }

  @Test("Members in a row are joined, wherever they meet the pieces that a file is read in")
  func members() throws {
    let folder = try TemporaryFolder()
    // Noise is stored as it is, so a packed length is the plain one and a constant.
    let overhead = try Gzip.compressed(Array(Self.noise.prefix(262_000))).count - 262_000
    for distance in [-1, 0, 1, 9] {
      let first = [0, 0, 8, 1, 0, 4, 0, 3] + Self.noise.prefix(262_144 - overhead - 8 + distance)
      let second = Array(Self.noise.prefix(262_147 + 8 - first.count))
      let members = [try Gzip.compressed(first), try Gzip.compressed([]), try Gzip.compressed(second)]
      #expect(members[0].count == 262_144 + distance)
      #expect(try Gzip.decompressed(members.flatMap(\.self)) == first + second)
      let array = try IDXFile.read(folder.file("n.gz", members.flatMap(\.self)))
      #expect(array.elements(as: UInt8.self) == Array((first + second).dropFirst(8)))
    }
  }

  @Test("A stream cut short anywhere is an error, at the byte where it ends")
  func truncated() throws {
    let packed = try Gzip.compressed(Array("a few words".utf8))
    for count in 2..<packed.count {
      let error = try dataError { try Gzip.decompressed(Array(packed.prefix(count)), named: "w.gz") }
      #expect(
        error
          == .corruptGzip(
            file: "w.gz", byteOffset: count, reason: "it ends before its compressed contents do"))
    }
  }

  @Test("A changed byte of the contents or the checksum is an error")
  func corrupted() throws {
    let bytes = Array(Self.noise.prefix(2000))
    let packed = try Gzip.compressed(bytes)
    // From the first byte after the header to the last; those of the header may be anything.
    for offset in stride(from: 10, to: packed.count, by: 97) + [packed.count - 8, packed.count - 1] {
      var damaged = packed
      damaged[offset] ^= 0x55
      let error = try dataError { try Gzip.decompressed(damaged, named: "n.gz") }
      guard case .corruptGzip("n.gz", let found, _) = error else {
        Issue.record("byte \(offset): \(error)")
        continue
      }
      #expect(found <= packed.count)
    }
  }

  @Test("What is not gzip is told from damaged gzip, and bytes after the last member are an error")
  func notGzip() throws {
    let plain = try dataError { try Gzip.decompressed([0x50, 0x4b, 3, 4], named: "z.gz") }
    #expect(plain == .notGzip(file: "z.gz", firstBytes: [0x50, 0x4b]))
    #expect(
      plain.description
        == "'z.gz' is named .gz and is not gzip: it begins with 50 4b at byte 0 instead of 1f 8b. If "
        + "the file is not compressed, drop .gz from its name; if not, copy it again from its source.")
    let packed = try Gzip.compressed([7])
    let tail = try dataError { try Gzip.decompressed(packed + [1, 2, 3], named: "t.gz") }
    guard case .corruptGzip("t.gz", let offset, "incorrect header check") = tail else {
      Issue.record("\(tail)")
      return
    }
    #expect((packed.count...packed.count + 2).contains(offset))
  }

  @Test("Contents beyond the limit are refused")
  func expansion() throws {
    let packed = try Gzip.compressed([UInt8](repeating: 0, count: 1 << 20))
    let error = try dataError {
      try Gzip.decompressed(packed, named: "b.gz", maximumByteCount: (1 << 20) - 1)
    }
    guard case .expansionRefused("b.gz", let read, (1 << 20) - 1) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(read <= packed.count)
    #expect(try Gzip.decompressed(packed, maximumByteCount: 1 << 20).count == 1 << 20)
    #expect(Gzip.limit(afterReading: 1000) == 256 << 20)
    #expect(Gzip.limit(afterReading: 10 << 20) == 640 << 20)
    #expect(Gzip.limit(afterReading: .max) == .max)
  }
}
