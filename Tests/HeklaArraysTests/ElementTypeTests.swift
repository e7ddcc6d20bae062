import HeklaArrays
import Testing

@Suite struct ElementTypeTests {
  @Test func `types are floating, whole or bool, and have the size of their Swift types`() {
    #expect(ElementType.allCases.filter(\.isFloating) == [.float32, .float16, .bfloat16, .float64])
    #expect(ElementType.allCases.filter(\.isInteger) == [.int32, .uint32, .int64, .uint8])
    func check<Element: ArrayElement>(_ type: Element.Type) {
      #expect(Element.elementType.byteCount == MemoryLayout<Element>.stride)
    }
    check(Float.self)
    check(Double.self)
    check(Float16.self)
    check(BFloat16.self)
    check(Int32.self)
    check(UInt32.self)
    check(Int64.self)
    check(UInt8.self)
    check(Bool.self)
  }
}
