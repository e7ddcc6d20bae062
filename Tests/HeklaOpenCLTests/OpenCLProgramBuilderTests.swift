import Glibc
import HeklaDevices
import HeklaShaderCompiler
import Testing

@testable import HeklaOpenCL

@Suite("OpenCL program builds", .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
struct OpenCLProgramBuilderTests {
  @Test("A binary is kept between devices, used again, and replaced when it is damaged")
  func binaryCache() throws {
    let folder = try TemporaryFolder()
    // What a device makes of 5: the kernel `affine` with its constants.
    func result() throws -> UInt32? {
      let options = OpenCLOptions(cacheDirectory: folder.path)
      let device = try OpenCLPlatform.device(at: 0, options: options)
      let kernel = try device.makeKernel(OpenCLFixture.affine, name: "affine")
      let (queue, buffer) = (try device.makeQueue(), try device.makeBuffer(byteCount: 256))
      let dispatch = Dispatch(
        kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1), pushConstants: [3, 2],
        label: "affine")
      try queue.run([.fill(BufferSlice(buffer), word: 5), .dispatch(dispatch)])
      return try queue.read(64, from: buffer, initial: UInt32.max).last
    }
    #expect(folder.names().isEmpty)
    #expect(try result() == 17)
    let name = try #require(folder.names().first)
    #expect(folder.names() == [name])
    #expect(name.hasSuffix(".clbin"))
    let entry = try #require(folder.contents(of: name))

    // Used again: an entry that is written anew is another file, so it has another number.
    let number = folder.fileNumber(of: name)
    #expect(try result() == 17)
    #expect(folder.fileNumber(of: name) == number)

    // A flipped bit fails the checksum; bytes that pass it but are no binary fail in the driver.
    var damaged = entry
    damaged[entry.count / 2] ^= 1
    let cache = DiskCache(directory: folder.path)
    for damage in [{ folder.write(damaged, to: name) }, { cache.write([1, 2, 3], as: name) }] {
      damage()
      let before = folder.fileNumber(of: name)
      #expect(try result() == 17)
      #expect(folder.fileNumber(of: name) != before)
      #expect((folder.contents(of: name)?.count ?? 0) > 1000)
    }
  }

  @Test("A cache folder that cannot be made costs nothing but time")
  func unwritableFolder() throws {
    let options = OpenCLOptions(cacheDirectory: "/proc/self/no such folder")
    let device = try OpenCLPlatform.device(at: 0, options: options)
    #expect(try device.makeKernel(OpenCLFixture.affine, name: "affine").source.name == "affine")
  }
}

/// A folder of the test's own, removed with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/hekla-opencl-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit {
    for name in names() { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  /// The names of the files in the folder, sorted.
  func names() -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The bytes of the file `name`.
  func contents(of name: String) -> [UInt8]? {
    guard let file = fopen("\(path)/\(name)", "rb") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 24)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    return bytes
  }

  /// Puts `bytes` into a new file `name`.
  func write(_ bytes: [UInt8], to name: String) {
    guard let file = fopen("\(path)/\(name)", "wb") else { return }
    defer { fclose(file) }
    fwrite(bytes, 1, bytes.count, file)
  }

  /// The file system's number of the file `name`.
  func fileNumber(of name: String) -> UInt {
    var status = stat()
    return stat("\(path)/\(name)", &status) == 0 ? UInt(status.st_ino) : 0
  }
}
