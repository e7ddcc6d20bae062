import Testing

@testable import HeklaExperiments

@Suite struct PairedDifferencesTests {
  @Test func `The mean lies within Student's interval`() throws {
    let pairs = PairedDifferences([0.1, 0.3, 0.2])
    #expect(abs(pairs.mean - 0.2) < 1e-15)
    // The standard error is 0.1 / sqrt(3), times 4.3027.
    let radius = try #require(pairs.radius)
    #expect(abs(radius - 4.3027 * 0.1 / 3.0.squareRoot()) < 1e-12)
    #expect(PairedDifferences([0.1]).radius == nil && PairedDifferences([]).radius == nil)
    #expect(PairedDifferences([2, 2]).radius == 0)
  }

  @Test func `Quantiles are those of tables`() {
    // Abramowitz & Stegun, table 26.10.
    for (degrees, quantile) in [(1, 12.706), (2, 4.303), (10, 2.228), (11, 2.201), (20, 2.086), (120, 1.980)]
    {
      #expect(abs(PairedDifferences.quantile(degreesOfFreedom: degrees) - quantile) < 1e-3, "\(degrees)")
    }
  }
}
