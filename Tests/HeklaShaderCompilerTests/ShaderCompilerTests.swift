import Foundation
import HeklaDevices
import HeklaShaderCompiler
import Testing

private let plain = """
  #version 450
  layout(local_size_x = 8) in;
  layout(std430, binding = 0) buffer B { uint b[]; };
  void main() { b[gl_LocalInvocationIndex] = 1u; }
  """

/// The log of the error that compiling `text` throws.
private func log(_ text: String, headers: [String: String] = [:], defines: [String: String] = [:]) throws
  -> String
{
  let compiler = ShaderCompiler(include: { headers[$0] }, cacheDirectory: nil)
  do throws(DeviceError) {
    _ = try compiler.compile(GLSLSource(name: "sample", text: text, defines: defines))
  } catch {
    if case .compilation("sample", let log) = error { return log }
    Issue.record("another error: \(error)")
    return ""
  }
  Issue.record("the text compiled")
  return ""
}

/// An empty folder that is gone afterwards.
private func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

@Suite("Errors of the compiler")
struct CompilerErrorTests {
  @Test("An error names the shader and the line")
  func line() throws {
    let text = "#version 450\nlayout(local_size_x = 1) in;\nvoid main() {\n  uint x = missing;\n}\n"
    #expect(try log(text).hasPrefix("sample.comp:4: error: 'missing' : undeclared identifier"))
  }

  @Test("Defines do not move the lines")
  func defines() throws {
    let text = "// A comment.\n#version 450\nvoid main() {\n  uint x = SIZE + missing;\n}\n"
    #expect(try log(text, defines: ["SIZE": "4", "OTHER": "1"]).hasPrefix("sample.comp:4: error: 'missing'"))
  }

  @Test("An error inside a header names the header and its line, and lines after it stay right")
  func header() throws {
    let text = "#version 450\n#include \"outer.glsl\"\nvoid main() { }\n"
    let headers = [
      "outer.glsl": "// outer\n#include \"inner.glsl\"\nuint two() { return gone; }\n",
      "inner.glsl": "\nuint one() { return 1; }\n",
    ]
    #expect(try log(text, headers: headers).hasPrefix("outer.glsl:3: error: 'gone'"))
    var broken = headers
    broken["inner.glsl"] = "uint a;\n\nuint one() { return lost; }\n"
    #expect(try log(text, headers: broken).hasPrefix("inner.glsl:3: error: 'lost'"))
    let fine = ["outer.glsl": "#include \"inner.glsl\"\n", "inner.glsl": "uint one() { return 1; }"]
    #expect(try log(text + "oops\n", headers: fine).contains("sample.comp:4: error:"))
  }

  @Test("A missing header is named with the file and line that want it")
  func missingHeader() throws {
    let text = "#version 450\n#include \"outer.glsl\"\nvoid main() { }\n"
    #expect(try log(text).contains("sample.comp:2: error: there is no header \"outer.glsl\""))
    let found = try log(text, headers: ["outer.glsl": "\n\n#include \"inner.glsl\"\n"])
    #expect(found.contains("outer.glsl:3: error: there is no header \"inner.glsl\""))
  }

  @Test("Headers that include each other are an error that shows the cycle")
  func cycle() throws {
    let headers = ["a.glsl": "#include \"b.glsl\"\n", "b.glsl": "\n#include \"a.glsl\"\n"]
    let found = try log("#version 450\n#include \"a.glsl\"\nvoid main() { }\n", headers: headers)
    #expect(found.contains("b.glsl:2: error: \"a.glsl\" includes itself: a.glsl -> b.glsl -> a.glsl"))
  }

  @Test("A shader without #version is told to have one")
  func version() throws {
    #expect(try log("void main() { }").contains("#version 450"))
  }

  @Test("A commented include is none, and a header with #pragma once comes once")
  func comments() throws {
    let compiler = ShaderCompiler(
      include: { $0 == "once.glsl" ? "#pragma once\nuint one() { return 1u; }\n" : nil }, cacheDirectory: nil)
    let text = """
      #version 450
      // #include "nothing.glsl"
      /*
      #include "nothing.glsl"
      */
      #include "once.glsl"
      #include "once.glsl"
      layout(local_size_x = 8) in;
      layout(std430, binding = 3) buffer B { uint b[]; };
      void main() { b[0] = one(); }
      """
    #expect(try compiler.compile(GLSLSource(name: "sample", text: text)).bindings == [3])
  }
}

@Suite("Compiled shaders")
struct ShaderModuleTests {
  @Test("A module knows its bindings, push constants, workgroup, shared memory and constants")
  func reflection() throws {
    let text = """
      #version 450
      layout(local_size_x_id = 0, local_size_y = 2, local_size_z_id = 9) in;
      layout(constant_id = 4) const uint rows = 8;
      shared vec3 tile[rows * 2 + 1];
      shared uint flag;
      layout(std430, binding = 5) buffer A { float a[]; };
      layout(std430, binding = 2) readonly buffer B { uint b[]; };
      layout(push_constant) uniform P { uint n; vec2 scale; } p;
      void main() { tile[0] = vec3(1); flag = 0u; a[p.n] = tile[1].x * p.scale.x + float(b[0] + flag); }
      """
    let compiler = ShaderCompiler(include: { _ in nil }, cacheDirectory: nil)
    let module = try compiler.compile(GLSLSource(name: "sample", text: text, constants: [0: 16, 4: 3]))
    #expect(module.bindings == [2, 5])
    #expect(module.pushConstantByteCount == 16)
    #expect(module.workgroupSize == GroupCount(16, 2, 1))
    #expect(module.sharedMemoryByteCount == 7 * 12 + 4)
    #expect(module.specializationIDs == [0, 4, 9])
    #expect(module.words.first == 0x0723_0203 && module.words[1] == 0x0001_0300)
  }

  @Test("The digest changes with text, headers and defines, not with specialization constants or the name")
  func digest() throws {
    func digest(_ source: GLSLSource, header: String = "") throws -> String {
      try ShaderCompiler(include: { _ in header }, cacheDirectory: nil).compile(source).digest
    }
    let first = try digest(GLSLSource(name: "a", text: plain))
    #expect(first.count == 64)
    #expect(
      try digest(GLSLSource(name: "b", text: plain, constants: [0: 1]))
        == digest(GLSLSource(name: "b", text: plain)))
    #expect(try digest(GLSLSource(name: "a", text: plain + "\n\n// more")) != first)
    #expect(try digest(GLSLSource(name: "a", text: plain, defines: ["N": "1"])) != first)
    let including = GLSLSource(name: "a", text: plain + "\n#include \"h\"\n")
    #expect(try digest(including, header: "// 1") != digest(including, header: "// 2"))
  }

  @Test("Many threads compile at once and get the same words")
  func threads() async throws {
    let compiler = ShaderCompiler(include: { _ in nil }, cacheDirectory: nil)
    let words = try await withThrowingTaskGroup(of: [UInt32].self) { group in
      for index in 0..<16 {
        group.addTask {
          try compiler.compile(GLSLSource(name: "sample", text: plain + "\n// \(index % 8)")).words
        }
      }
      var all: [[UInt32]] = []
      for try await words in group { all.append(words) }
      return all
    }
    #expect(Set(words).count == 1)
  }
}

@Suite("The cache of compiled shaders")
struct ShaderCacheTests {
  @Test("A second compiler takes the words from disk")
  func hit() throws {
    try withFolder { folder in
      let source = GLSLSource(name: "sample", text: plain)
      let first = try ShaderCompiler(include: { _ in nil }, cacheDirectory: folder + "/deep/er").compile(
        source)
      let path = folder + "/deep/er/\(first.digest).spv"
      let date = Date(timeIntervalSince1970: 1_000_000)
      try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
      let second = try ShaderCompiler(include: { _ in nil }, cacheDirectory: folder + "/deep/er").compile(
        source)
      #expect(second.words == first.words && second.bindings == first.bindings)
      // A miss would have written the entry anew.
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.modificationDate] as? Date == date)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/deep/er").count == 1)
    }
  }

  @Test("A damaged entry is ignored and written anew", arguments: ["", "hekla 1 00\nabc", "cut", "flip"])
  func corruption(_ damage: String) throws {
    try withFolder { folder in
      let source = GLSLSource(name: "sample", text: plain)
      let first = try ShaderCompiler(include: { _ in nil }, cacheDirectory: folder).compile(source)
      let file = URL(filePath: folder + "/\(first.digest).spv")
      let good = try Foundation.Data(contentsOf: file)
      var bad = Foundation.Data(damage.utf8)
      if damage == "cut" { bad = good.dropLast(4) }
      if damage == "flip" {
        bad = good
        bad[bad.count - 10] ^= 1
      }
      try bad.write(to: file)
      let second = try ShaderCompiler(include: { _ in nil }, cacheDirectory: folder).compile(source)
      #expect(second.words == first.words)
      #expect(try Foundation.Data(contentsOf: file) == good)
    }
  }

  @Test("OpenCL C is kept too, one entry for each choice of constants")
  func openCL() throws {
    try withFolder { folder in
      let text = plain.replacing("= 1u;", with: "= n;").replacing(
        "void", with: "layout(constant_id = 2) const uint n = 3; void")
      for bits in [UInt32(7), 8, 7] {
        let compiler = ShaderCompiler(include: { _ in nil }, cacheDirectory: folder)
        let program = try compiler.openCLProgram(
          for: GLSLSource(name: "sample", text: text, constants: [2: bits]))
        #expect(program.text.contains("= \(bits)u;"))
      }
      let entries = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(entries.filter { $0.hasSuffix(".cl") }.count == 2 && entries.count == 3)
    }
  }

  @Test("A folder that cannot be written is no error")
  func unwritable() throws {
    // A file stands where the folder should be, which stops also the superuser.
    try withFolder { folder in
      try Foundation.Data().write(to: URL(filePath: folder))
      let compiler = ShaderCompiler(include: { _ in nil }, cacheDirectory: folder + "/cache")
      #expect(try compiler.compile(GLSLSource(name: "sample", text: plain)).bindings == [0])
    }
  }
}
