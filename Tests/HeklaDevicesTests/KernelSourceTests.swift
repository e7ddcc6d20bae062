import HeklaDevices
import Testing

@Suite struct KernelSourceTests {
  @Test func `host sources are equal when name and key are, whatever their bodies`() {
    func source(_ name: String, _ key: String) -> HostSource { HostSource(name: name, key: key) { _ in } }
    #expect(source("map", "a") == source("map", "a"))
    #expect(source("map", "a") != source("map", "b"))
    #expect(source("map", "a") != source("sum", "a"))
    #expect(Set([source("map", "a"), source("map", "a")]).count == 1)
    #expect(KernelSource.host(source("map", "a")).name == "map")
  }

  @Test func `shaders differ by text, constants and defines`() {
    let plain = GLSLSource(name: "k", text: "void main() {}")
    var others = [plain, plain, plain]
    others[0].text += " "
    others[1].constants[0] = 64
    others[2].defines["VECTORS"] = "1"
    #expect(Set(others + [plain, plain]).count == 4)
    #expect(KernelSource.glsl(plain).name == "k")
  }
}
