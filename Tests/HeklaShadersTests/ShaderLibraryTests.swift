import HeklaShaders
import Testing

@Suite("Shader library")
struct ShaderLibraryTests {
  @Test(
    "Every kernel begins with five lines of comment and then its version",
    arguments: ShaderLibrary.kernelNames)
  func header(_ name: String) throws {
    let text = try #require(ShaderLibrary.kernel(named: name))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    try #require(lines.count > 6)
    #expect(lines[..<5].allSatisfy { $0.hasPrefix("// ") && $0.hasSuffix(".") })
    for (line, title) in zip(lines[1...], ["Bindings", "Constants", "Grid", "Source"]) {
      #expect(line.hasPrefix("// \(title): "))
    }
    #expect(lines[5] == "#version 450")
  }

  @Test("Every header that a kernel includes is there", arguments: ShaderLibrary.kernelNames)
  func includes(_ name: String) throws {
    let text = try #require(ShaderLibrary.kernel(named: name))
    for line in text.split(separator: "\n") where line.hasPrefix("#include ") {
      let header = line.dropFirst("#include ".count).filter { $0 != "\"" }
      #expect(ShaderLibrary.include(named: header) != nil, "\(name) includes \(header)")
    }
  }

  @Test("A name that no file has gives nothing")
  func unknown() {
    #expect(ShaderLibrary.kernel(named: "no such kernel") == nil)
    #expect(ShaderLibrary.include(named: "no such header") == nil)
  }
}
