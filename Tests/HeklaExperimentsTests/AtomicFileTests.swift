import TestSupport
import Testing

@testable import HeklaExperiments

@Suite struct AtomicFileTests {
  @Test("a file is replaced whole and no temporary one stays")
  func replacing() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("one", to: root.path + "/file")
    try AtomicFile.write("two", to: root.path + "/file")
    #expect(try root.text(of: "file") == "two")
    #expect(try root.contents == ["file"])
  }

  @Test("where a file cannot be written the error says why, before and at writing, and nothing stays")
  func refusal() throws {
    let root = try TemporaryFolder()
    let missing = root.path + "/missing/file"
    let error = ExperimentError.cannotWrite(path: missing, reason: "No such file or directory.")
    #expect(throws: error) { try AtomicFile.requireWritable(missing) }
    #expect(throws: error) { try AtomicFile.write("x", to: missing) }
    #expect(throws: ExperimentError.self) { try AtomicFile.requireWritable(root.path) }
    #expect(throws: ExperimentError.self) { try AtomicFile.write("x", to: root.path) }
    #expect(try root.contents.isEmpty)
  }

  @Test("checking leaves nothing behind and changes nothing")
  func checking() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("kept", to: root.path + "/file")
    try AtomicFile.requireWritable(root.path + "/file")
    try AtomicFile.requireWritable(root.path + "/other")
    #expect(try root.contents == ["file"])
    #expect(try root.text(of: "file") == "kept")
  }
}
