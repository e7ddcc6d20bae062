import HeklaArrays
import Testing

@Suite struct BFloat16Tests {
  @Test func `every bit pattern survives the way through Float, NaN staying NaN`() {
    for bits in UInt16.min...UInt16.max {
      let number = BFloat16(bitPattern: bits)
      let back = BFloat16(number.floatValue)
      if number.floatValue.isNaN {
        #expect(back.floatValue.isNaN)
      } else {
        #expect(back.bitPattern == bits)
      }
    }
  }

  @Test func `rounding is to nearest, ties to even, at every finite positive pattern`() {
    for bits in UInt16(0)..<0x7F7F {
      let lower = UInt32(bits) << 16
      let even = bits % 2 == 0 ? bits : bits + 1
      #expect(BFloat16(Float(bitPattern: lower + 0x7FFF)).bitPattern == bits)
      #expect(BFloat16(Float(bitPattern: lower + 0x8000)).bitPattern == even)
      #expect(BFloat16(Float(bitPattern: lower + 0x8001)).bitPattern == bits + 1)
    }
  }

  @Test func `signs, infinities and overflow are kept`() {
    #expect(BFloat16(-0.0).bitPattern == 0x8000)
    #expect(BFloat16(-.infinity).floatValue == -.infinity)
    #expect(BFloat16(.greatestFiniteMagnitude).floatValue == .infinity)
    // A NaN whose payload lies in the lower half alone must not become infinite.
    #expect(BFloat16(Float(bitPattern: 0x7F80_0001)).floatValue.isNaN)
  }
}
