import HeklaArrays
import Testing

@Suite struct HostArrayTests {
  @Test func `a new array holds zeros of its type`() {
    for type in ElementType.allCases {
      let array = HostArray(zeros: [2, 3], of: type)
      #expect(array.doubles() == [0, 0, 0, 0, 0, 0])
      #expect(array.byteCount == 6 * type.byteCount)
    }
  }

  @Test func `writing to a copy leaves the original as it was`() {
    let original = HostArray([1, 2, 3] as [Float])
    var copy = original
    copy.withUnsafeMutableBytes { $0.storeBytes(of: 9, as: Float.self) }
    #expect(original.elements(as: Float.self) == [1, 2, 3])
    #expect(copy.elements(as: Float.self) == [9, 2, 3])
  }

  @Test func `writing to an array that nobody shares does not move it`() {
    var array = HostArray(zeros: [1000])
    let before = array.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    array.withUnsafeMutableBytes { $0.storeBytes(of: 1, as: Float.self) }
    #expect(array.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } == before)
    #expect(before % 64 == 0)
  }

  @Test func `integers truncate toward zero and saturate, and NaN becomes 0`() {
    let numbers = [-1e30, -2.7, -0.5, 0.5, 2.7, 1e30, .nan, .infinity, -.infinity]
    func converted(_ type: ElementType) -> HostArray { HostArray(converting: numbers, shape: [9], to: type) }
    #expect(converted(.int32).elements(as: Int32.self) == [.min, -2, 0, 0, 2, .max, 0, .max, .min])
    #expect(converted(.uint32).elements(as: UInt32.self) == [0, 0, 0, 0, 2, .max, 0, .max, 0])
    #expect(converted(.int64).elements(as: Int64.self) == [.min, -2, 0, 0, 2, .max, 0, .max, .min])
    #expect(converted(.uint8).elements(as: UInt8.self) == [0, 0, 0, 0, 2, 255, 0, 255, 0])
    #expect(
      converted(.bool).elements(as: Bool.self) == [true, true, true, true, true, true, true, true, true])
    let smallest = [0, -0.0, Double.leastNonzeroMagnitude]
    #expect(HostArray(converting: smallest, shape: [3], to: .bool).doubles() == [0, 0, 1])
  }

  @Test func `the bounds of each integer type survive the way through Double`() {
    #expect(
      HostArray([Int32.min, .max]).converted(to: .float64).converted(to: .int32)
        == HostArray([Int32.min, .max]))
    #expect(HostArray([UInt32.max]).converted(to: .float64).converted(to: .uint32) == HostArray([UInt32.max]))
    #expect(
      HostArray([Int64.min, .max]).converted(to: .float64).converted(to: .int64)
        == HostArray([Int64.min, .max]))
  }

  @Test func `narrow floats round to nearest, and beyond their range become infinite`() {
    let numbers = [1 + 0x1p-11, 1 + 0x1p-11 + 0x1p-20, 65504, 65520, -65520]
    let halves = HostArray(converting: numbers, shape: [5], to: .float16).doubles()
    #expect(halves == [1, 1 + 0x1p-10, 65504, .infinity, -.infinity])
    let wide = HostArray(converting: [1 + 0x1p-8, 1 + 0x1p-8 + 0x1p-20], shape: [2], to: .bfloat16).doubles()
    #expect(wide == [1, 1 + 0x1p-7])
  }

  @Test func `each type reads back the elements it was made of`() {
    #expect(HostArray([1.5, -2] as [Double]).elements(as: Double.self) == [1.5, -2])
    #expect(HostArray([1.5, -2] as [Float16]).doubles() == [1.5, -2])
    #expect(HostArray([BFloat16(1.5)]).doubles() == [1.5])
    #expect(HostArray([true, false]).elements(as: Bool.self) == [true, false])
    #expect(HostArray([UInt8(200)]).doubles() == [200])
    #expect(HostArray(scalar: Int32(-3)).shape == [])
  }

  @Test func `equality is equality of bits, type and shape`() {
    #expect(HostArray([Float.nan]) == HostArray([Float.nan]))
    #expect(HostArray([Float(0)]) != HostArray([Float(-0.0)]))
    #expect(HostArray([Float(1)]) != HostArray([Float(bitPattern: 0x3F80_0001)]))
    #expect(HostArray([Int32(0)]) != HostArray([UInt32(0)]))
    #expect(HostArray(zeros: [2, 3]) != HostArray(zeros: [3, 2]))
    #expect(HostArray(zeros: [0, 3]) != HostArray(zeros: [0, 2]))
  }

  @Test func `rows are gathered in the order asked for, repeats included`() {
    let array = HostArray((0..<6).map { Int32($0) }, shape: [3, 2])
    let rows = array.gatheringRows([2, 0, 2])
    #expect(rows.shape == [3, 2])
    #expect(rows.elements(as: Int32.self) == [4, 5, 0, 1, 4, 5])
    #expect(array.gatheringRows([]).shape == [0, 2])
    #expect(HostArray(zeros: [3, 0]).gatheringRows([1]).shape == [1, 0])
    #expect(HostArray([Float(7), 8]).gatheringRows([1]).elements(as: Float.self) == [8])
  }

  @Test func `a row that is not there stops the program`() async {
    await #expect(processExitsWith: .failure) { _ = HostArray(zeros: [3, 2]).gatheringRows([3]) }
  }

  @Test func `a reshaped array keeps its elements`() {
    let array = HostArray((0..<6).map { Float($0) }, shape: [3, 2]).reshaped(to: [2, 3])
    #expect(array.shape == [2, 3])
    #expect(array.elements(as: Float.self) == [0, 1, 2, 3, 4, 5])
  }
}
